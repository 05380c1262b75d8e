using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Host.Migration;

/// <summary>What is there on the node beside the proxy.</summary>
internal sealed record NodeFacts
{
    /// <summary>The version of the kernel.</summary>
    public required Version Kernel { get; init; }

    /// <summary>The addresses of the interfaces.</summary>
    public required IReadOnlyList<IpAddr> Addresses { get; init; }

    /// <summary>Chains of table filter of iptables-nft that do not accept everything.</summary>
    public required Fact<ImmutableArray<HostChain>> HostChains { get; init; }

    /// <summary>Rules of others that lead to chains of a kube-proxy.</summary>
    public required Fact<ImmutableArray<string>> ForeignJumps { get; init; }

    /// <summary>Chains of a kube-proxy in the tables of iptables-legacy, which a change of mode does not remove.</summary>
    public required Fact<ImmutableArray<LegacyChain>> LegacyChains { get; init; }

    /// <summary>Whether the kernel has IPVS.</summary>
    public required Fact<bool> HasIpvs { get; init; }

    /// <summary>Packets to node ports on loopback addresses that the iptables mode counted; null when it does not count.</summary>
    public required Fact<ulong?> LoopbackPackets { get; init; }

    /// <summary>Tracked connections to node ports, by address and port.</summary>
    public required Fact<ImmutableDictionary<NodePortAddress, int>> Connections { get; init; }
}

/// <summary>A node port on one address of the node.</summary>
/// <param name="Address">The address.</param>
/// <param name="Protocol">The protocol.</param>
/// <param name="Port">The port.</param>
internal readonly record struct NodePortAddress(IpAddr Address, Protocol Protocol, ushort Port);

/// <summary>What the host's own rules make of packets in a standard chain of table filter.</summary>
/// <param name="Family">The family.</param>
/// <param name="Chain">INPUT or FORWARD.</param>
/// <param name="DropsByPolicy">Packets that no rule decides are dropped.</param>
/// <param name="Refusals">Rules that drop or reject, in the chain and in those that it leads to.</param>
internal readonly record struct HostChain(IpFamily Family, string Chain, bool DropsByPolicy, int Refusals)
{
    /// <summary>The chain that packets for other hosts pass.</summary>
    public const string Forward = "FORWARD";

    /// <summary>The chain that packets for this host pass.</summary>
    public const string Input = "INPUT";

    /// <summary>The tool that shows it.</summary>
    public string Tool => Family == IpFamily.IPv4 ? "iptables" : "ip6tables";
}

/// <summary>What of the node matters.</summary>
/// <param name="NodePorts">The node ports whose connections are counted.</param>
/// <param name="AsksForIpvs">Whether IPVS is looked for; that can load its module.</param>
internal sealed record NodeFactsRequest(IReadOnlySet<(Protocol Protocol, ushort Port)> NodePorts, bool AsksForIpvs);
