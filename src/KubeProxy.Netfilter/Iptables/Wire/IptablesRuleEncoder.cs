using System.Collections.Immutable;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Lowers rules to what iptables-nft writes: addresses, interfaces, protocol, ports and mark as nf_tables expressions, the rest as xt extensions.</summary>
internal static class IptablesRuleEncoder
{
    private static readonly NftCounter Counter = new();
    private static readonly NftStatement AnyTcpPort = XtMatchEncoder.AnyPort(Core.Model.Protocol.Tcp);
    private static readonly NftStatement AnyUdpPort = XtMatchEncoder.AnyPort(Core.Model.Protocol.Udp);

    /// <exception cref="ArgumentException">A name or comment does not fit.</exception>
    public static NftRule Encode(IptablesRule rule, IpFamily family)
    {
        var statements = ImmutableArray.CreateBuilder<NftStatement>(CountOf(rule));
        if (rule.InputInterface is { } input) statements.Add(Interface(NftMetaKey.Iifname, input));
        if (rule.OutputInterface is { } output) statements.Add(Interface(NftMetaKey.Oifname, output));
        if (rule.Protocol is { } protocol) statements.Add(Protocol(protocol));
        if (rule.Source is { } source) statements.Add(Address(family == IpFamily.IPv4 ? NftField.IpSaddr : NftField.Ip6Saddr, source));
        if (rule.Destination is { } destination) statements.Add(Address(family == IpFamily.IPv4 ? NftField.IpDaddr : NftField.Ip6Daddr, destination));
        foreach (var match in rule.Matches) Add(statements, match, rule.Protocol);
        statements.Add(Counter);
        if (rule.Target is { } target) statements.Add(XtTargets.Write(target, family));
        return new NftRule(statements.DrainToImmutable());
    }

    // As a rule exactly: a match is one statement, but for one of both ports.
    private static int CountOf(IptablesRule rule)
    {
        var count = rule.Matches.Length + 1;
        foreach (object? part in (ReadOnlySpan<object?>)[rule.InputInterface, rule.OutputInterface, rule.Protocol, rule.Source, rule.Destination, rule.Target])
            if (part is not null) count++;
        return count;
    }

    private static NftOperator Operator(bool negated) => negated ? NftOperator.NotEqual : NftOperator.Equal;

    private static NftMatch Protocol(ProtocolMatch match) =>
        new(new NftMeta(NftMetaKey.L4proto), Operator(match.Negated), new NftConstant(NftDataType.InetProto, NftValue.Protocol(match.Protocol)));

    private static NftStatement Address(NftField field, AddressMatch match)
    {
        var type = match.Block.Family == IpFamily.IPv4 ? NftDataType.Ipv4Addr : NftDataType.Ipv6Addr;
        var constant = new NftConstant(type, NftValue.Address(match.Block.First));
        return match.Block.PrefixLength == match.Block.First.Length * 8
            ? new NftMatch(new NftPayload(field), Operator(match.Negated), constant)
            : new NftPrefixMatch(new NftPayload(field), Operator(match.Negated), constant, match.Block.PrefixLength);
    }

    private static NftStatement Interface(NftMetaKey key, InterfaceMatch match)
    {
        if (!match.Name.EndsWith('+'))
            return new NftMatch(new NftMeta(key), Operator(match.Negated), new NftConstant(NftDataType.Ifname, NftValue.Ifname(match.Name)));
        var prefix = match.Name[..^1];
        return new NftPrefixMatch(
            new NftMeta(key), Operator(match.Negated), new NftConstant(NftDataType.Ifname, NftValue.Ifname(prefix)), Encoding.UTF8.GetByteCount(prefix) * 8);
    }

    private static void Add(ImmutableArray<NftStatement>.Builder statements, IptablesMatch match, ProtocolMatch? protocol)
    {
        if (match is PortMatch ports) AddPorts(statements, ports, protocol);
        else statements.Add(Match(match));
    }

    private static NftStatement Match(IptablesMatch match) => match switch
    {
        CommentMatch comment => XtMatchEncoder.Comment(comment),
        AddressTypeMatch types => XtMatchEncoder.AddressType(types),
        ConntrackMatch states => XtMatchEncoder.Conntrack(states),
        MarkMatch mark => Mark(mark),
        StatisticMatch statistic => XtMatchEncoder.Statistic(statistic),
        RecentMatch recent => XtMatchEncoder.Recent(recent),
        AccountingMatch accounting => XtMatchEncoder.Accounting(accounting),
        UnknownMatch unknown => unknown.Statement,
        _ => throw new ArgumentException($"{match} cannot be encoded.", nameof(match)),
    };

    private static void AddPorts(ImmutableArray<NftStatement>.Builder statements, PortMatch match, ProtocolMatch? protocol)
    {
        if (protocol is not { Negated: false }) throw new ArgumentException("Ports need a protocol.", nameof(match));
        if (protocol.Protocol == Core.Model.Protocol.Sctp)
        {
            statements.Add(XtMatchEncoder.Sctp(match));
            return;
        }

        if (match is { Source: null, Destination: null }) statements.Add(AnyPort(protocol.Protocol));
        if (match.Source is { } source) statements.Add(Port(NftField.ThSport, source));
        if (match.Destination is { } destination) statements.Add(Port(NftField.ThDport, destination));
    }

    private static NftStatement AnyPort(Protocol protocol) => protocol switch
    {
        Core.Model.Protocol.Tcp => AnyTcpPort,
        Core.Model.Protocol.Udp => AnyUdpPort,
        _ => XtMatchEncoder.AnyPort(protocol),
    };

    private static NftMatch Port(NftField field, PortRange ports) => ports.First == ports.Last
        ? new NftMatch(new NftPayload(field), Operator(ports.Negated), new NftConstant(NftDataType.InetService, NftValue.Port(ports.First)))
        : throw new ArgumentException("Ranges of tcp and udp ports are not supported.", nameof(ports));

    private static NftStatement Mark(MarkMatch match)
    {
        var mark = new NftMeta(NftMetaKey.Mark);
        if (match.Mask == uint.MaxValue) return new NftMatch(mark, Operator(match.Negated), new NftConstant(NftDataType.Mark, NftValue.Number(match.Value)));
        return match.Value == 0
            ? new NftBitsMatch(mark, match.Mask, !match.Negated)
            : new NftMatch(new NftBitwise(mark, match.Mask, 0), Operator(match.Negated), new NftConstant(NftDataType.Mark, NftValue.Number(match.Value)));
    }
}
