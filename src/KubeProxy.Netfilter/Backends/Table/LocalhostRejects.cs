using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The rules that refuse packets to node ports on loopback addresses, and count them by protocol.</summary>
internal sealed class LocalhostRejects(RuleParts parts)
{
    public const string ChainName = "localhost-nodeport-reject";

    private static readonly Protocol[] Protocols = [Protocol.Tcp, Protocol.Udp, Protocol.Sctp];

    private static readonly Cidr Ipv4 = Cidr.Parse("127.0.0.0/8");
    private static readonly Cidr Ipv6 = Cidr.Parse("::1/128");

    /// <summary>
    /// The chain that the rules of <see cref="Rules"/> lead to. It never changes, so that the counts stay. TCP gets a
    /// reset: a process that is still within connect(2) takes the ICMP error of its own SYN for a passing one, and sends again after a second.
    /// </summary>
    public ChainDefinition Chain => parts.Chain(ChainName,
        [.. Protocols.Select(protocol => new NftRule(IsProtocol(protocol, NftOperator.Equal), new NftCounter(), new NftReject(TcpReset: protocol == Protocol.Tcp)))],
        "node ports that are not open on loopback addresses");

    /// <summary>What leads there. TCP does not where it is relayed.</summary>
    public IEnumerable<NftRule> Rules(NodePlan node) =>
    [
        new NftRule(
        [
            parts.DaddrIn(parts.Family == IpFamily.IPv4 ? Ipv4 : Ipv6),
            .. node.NamesLocalhost ? [IsProtocol(Protocol.Tcp, NftOperator.NotEqual)] : ImmutableArray<NftStatement>.Empty,
            new NftSetMatch(RuleParts.NodePort, FixedSets.LocalhostNodePorts),
            RuleParts.Goto(ChainName),
        ]),
    ];

    /// <summary>How many packets the kernel counted in a rule of the chain; null when the rule is another one.</summary>
    public static (Protocol Protocol, ulong Packets)? Read(NftRule rule)
    {
        if (rule.Statements.OfType<NftCounter>().FirstOrDefault() is not { } counter) return null;
        foreach (var protocol in Protocols)
            if (rule.Statements.Contains(IsProtocol(protocol, NftOperator.Equal))) return (protocol, counter.Packets);
        return null;
    }

    private static NftMatch IsProtocol(Protocol protocol, NftOperator op) => new NftMatch(RuleParts.Protocol, op, RuleParts.ProtocolNumber(protocol));
}
