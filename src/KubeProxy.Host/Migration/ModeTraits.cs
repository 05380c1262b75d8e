using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Migration;

/// <summary>Where a mode remembers which endpoint a client belongs to.</summary>
internal enum AffinityMemory
{
    /// <summary>A list of xt_recent for each endpoint.</summary>
    Recent,

    /// <summary>Elements of nf_tables, common to all frontends of a service port.</summary>
    Elements,

    /// <summary>Templates of IPVS, for each virtual service.</summary>
    Templates,

    /// <summary>The memory of the process.</summary>
    Process,
}

/// <summary>What users and operators notice of a mode beside that services work, ours or the reference's.</summary>
internal sealed record ModeTraits
{
    /// <summary>The mode; see <see cref="ProxyMode"/>.</summary>
    public required string Mode { get; init; }

    /// <summary>Packets of services are accepted in table filter before the host's own rules of that chain.</summary>
    public bool AcceptsBeforeHostRules { get; init; }

    /// <summary>Health check node ports are accepted in table filter before the host's own rules of that chain.</summary>
    public bool AcceptsHealthChecks { get; init; }

    /// <summary>Packets that conntrack calls invalid are dropped, unless <c>conntrack.tcpBeLiberal</c>.</summary>
    public bool DropsInvalid { get; init; }

    /// <summary>Ports of cluster IPs that no service has are refused.</summary>
    public bool RefusesOtherPorts { get; init; }

    /// <summary>Service addresses are addresses of the node: they answer a ping, and local processes can listen on them.</summary>
    public bool AddressesAreLocal { get; init; }

    /// <summary>Endpoints are chosen by a scheduler that can be configured.</summary>
    public bool HasSchedulers { get; init; }

    /// <summary>Every byte goes through the process: connections end with it, and endpoints see the node's address.</summary>
    public bool Relays { get; init; }

    /// <summary>Connections that exist are known to conntrack alone, so that they outlive the rules.</summary>
    public bool ConnectionsOutliveIt => Mode is ProxyMode.Iptables or ProxyMode.Nftables;

    /// <summary>Where session affinity is remembered.</summary>
    public required AffinityMemory Affinity { get; init; }

    /// <summary>The oldest kernel that has what the mode needs.</summary>
    public Version OldestKernel { get; init; } = new(5, 10);

    /// <summary>The traits of a mode.</summary>
    public static ModeTraits Of(string mode) => mode switch
    {
        ProxyMode.Iptables => new()
        {
            Mode = mode, AcceptsBeforeHostRules = true, AcceptsHealthChecks = true, DropsInvalid = true, Affinity = AffinityMemory.Recent,
        },
        ProxyMode.Ipvs => new()
        {
            Mode = mode, AcceptsBeforeHostRules = true, RefusesOtherPorts = true, AddressesAreLocal = true, HasSchedulers = true, Affinity = AffinityMemory.Templates,
        },
        ProxyMode.Userspace => new()
        {
            Mode = mode, Relays = true, RefusesOtherPorts = false, Affinity = AffinityMemory.Process, OldestKernel = new(5, 12), // NFT_TABLE_F_OWNER
        },
        _ => new() { Mode = mode, RefusesOtherPorts = true, Affinity = AffinityMemory.Elements },
    };
}

/// <summary>On which loopback addresses node ports are open.</summary>
internal static class LoopbackNodePorts
{
    private static readonly IpAddr Ipv4 = IpAddr.Parse("127.0.0.1");

    /// <summary>Whether node ports of TCP, or of the other protocols, are open on the loopback address of a family.</summary>
    public static bool AreOpen(EffectiveConfiguration configuration, IpFamily family, Protocol protocol) => configuration.Mode switch
    {
        ProxyMode.Iptables => family == IpFamily.IPv4 && configuration.Source.Iptables.LocalhostNodePorts != false
            && NodePortAddresses.Parse(configuration.Source.NodePortAddresses).Includes(Ipv4),
        ProxyMode.Nftables => protocol == Protocol.Tcp && FeatureGates.IsEnabled(configuration.Source, FeatureGates.NftablesLocalhostNodePorts)
            && NodePortAddresses.Parse(configuration.Source.NodePortAddresses).NamesLocalhost(family),
        _ => false,
    };
}
