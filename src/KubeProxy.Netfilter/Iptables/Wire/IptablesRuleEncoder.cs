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
    private static readonly NftStatement AnyTcpPort = OfCodec(PortMatch.TcpCodec);
    private static readonly NftStatement AnyUdpPort = OfCodec(PortMatch.UdpCodec);

    /// <summary>What <c>-j TRACE</c> is.</summary>
    public static NftStatement Trace { get; } = new NftSetMeta(NftMetaKey.Nftrace, new NftConstant(NftDataType.Integer, new NftData([1])));

    /// <exception cref="ArgumentException">A name or comment does not fit.</exception>
    public static NftRule Encode(IptablesRule rule, IpFamily family)
    {
        var statements = ImmutableArray.CreateBuilder<NftStatement>(CountOf(rule));
        if (rule.InputInterface is { } input) statements.Add(Interface(NftMetaKey.Iifname, input));
        if (rule.OutputInterface is { } output) statements.Add(Interface(NftMetaKey.Oifname, output));
        if (rule.Protocol is { } protocol) statements.Add(Protocol(protocol));
        if (rule.Source is { } source) statements.Add(Address(family == IpFamily.IPv4 ? NftField.IpSaddr : NftField.Ip6Saddr, source, family));
        if (rule.Destination is { } destination) statements.Add(Address(family == IpFamily.IPv4 ? NftField.IpDaddr : NftField.Ip6Daddr, destination, family));
        var context = new XtContext(family, rule.Protocol);
        foreach (var match in rule.Matches) Add(statements, match, context);
        statements.Add(Counter);
        if (rule.Target is { } target) statements.Add(Target(target, context));
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

    private static NftStatement Address(NftField field, AddressMatch match, IpFamily family)
    {
        var constant = new NftConstant(family == IpFamily.IPv4 ? NftDataType.Ipv4Addr : NftDataType.Ipv6Addr, Bytes(match.Block.First, family));
        var length = XtAddresses.PrefixLength(match.Block, family);
        return length == constant.Value.Length * 8
            ? new NftMatch(new NftPayload(field), Operator(match.Negated), constant)
            : new NftPrefixMatch(new NftPayload(field), Operator(match.Negated), constant, length);
    }

    private static NftData Bytes(IpAddr address, IpFamily family)
    {
        if (address.Family == family) return NftValue.Address(address);
        Span<byte> bytes = stackalloc byte[16];
        bytes.Put(0, address, family);
        return new NftData(bytes);
    }

    private static NftStatement Interface(NftMetaKey key, InterfaceMatch match)
    {
        if (!match.Name.EndsWith('+'))
            return new NftMatch(new NftMeta(key), Operator(match.Negated), new NftConstant(NftDataType.Ifname, NftValue.Ifname(match.Name)));
        var prefix = match.Name[..^1];
        return new NftPrefixMatch(
            new NftMeta(key), Operator(match.Negated), new NftConstant(NftDataType.Ifname, NftValue.Ifname(prefix)), Encoding.UTF8.GetByteCount(prefix) * 8);
    }

    private static void Add(ImmutableArray<NftStatement>.Builder statements, IptablesMatch match, in XtContext context)
    {
        switch (match)
        {
            case PortMatch ports: AddPorts(statements, ports, context.Protocol); break;
            case MarkMatch mark: statements.Add(Mark(mark)); break;
            case TcpMatch { Option: null } tcp: AddTcp(statements, tcp, context.Protocol); break;
            case PortPairMatch ports: statements.Add(PortPair(ports, context.Protocol)); break;
            case LimitMatch limit: statements.Add(new NftLimit(limit.Rate, limit.Unit, limit.Burst)); break;
            case UnknownMatch unknown: statements.Add(unknown.Statement); break;
            default: statements.Add(XtMatches.Table.Write(match, context)); break;
        }
    }

    private static NftStatement Target(IptablesTarget target, in XtContext context) => target switch
    {
        VerdictTarget verdict => new NftVerdictStatement(verdict.Verdict),
        UnknownTarget unknown => unknown.Statement,
        NflogTarget log => log.ToStatement(),
        TraceTarget => Trace,
        _ => XtTargets.Table.Write(target, context),
    };

    private static void AddPorts(ImmutableArray<NftStatement>.Builder statements, PortMatch match, ProtocolMatch? protocol)
    {
        if (protocol is not { Negated: false, Protocol: Core.Model.Protocol.Tcp or Core.Model.Protocol.Udp or Core.Model.Protocol.Sctp })
            throw new ArgumentException("Ports need a protocol that has them.", nameof(match));
        if (protocol.Protocol == Core.Model.Protocol.Sctp) statements.Add(OfCodec(PortMatch.SctpCodec, match));
        else if (match is { Source: null, Destination: null }) statements.Add(protocol.Protocol == Core.Model.Protocol.Tcp ? AnyTcpPort : AnyUdpPort);
        else AddRanges(statements, match.Source, match.Destination);
    }

    private static void AddRanges(ImmutableArray<NftStatement>.Builder statements, PortRange? source, PortRange? destination)
    {
        if (source is not null) AddPort(statements, NftField.ThSport, source);
        if (destination is not null) AddPort(statements, NftField.ThDport, destination);
    }

    private static void AddTcp(ImmutableArray<NftStatement>.Builder statements, TcpMatch match, ProtocolMatch? protocol)
    {
        if (protocol is not { Negated: false, Protocol: Core.Model.Protocol.Tcp }) throw new ArgumentException("Needs -p tcp.", nameof(match));
        if (match.Flags is { } flags)
        {
            var left = new NftPayload(NftField.TcpFlags);
            statements.Add(flags.Set == 0 ? new NftBitsMatch(left, flags.Mask, !flags.Negated)
                : new NftMatch(new NftBitwise(left, new NftData([flags.Mask]), new NftData([0])), Operator(flags.Negated), new NftConstant(NftField.TcpFlags.Type, new NftData([flags.Set]))));
        }

        if (match is { Flags: null, Source: null, Destination: null }) statements.Add(AnyTcpPort);
        AddRanges(statements, match.Source, match.Destination);
    }

    private static NftMatch PortPair(PortPairMatch ports, ProtocolMatch? protocol)
    {
        if (protocol is not { Negated: false, Protocol: Core.Model.Protocol.Tcp or Core.Model.Protocol.Udp }) throw new ArgumentException("Needs -p tcp or -p udp.", nameof(ports));
        Span<byte> both = stackalloc byte[4];
        both.PutBe(0, ports.Source);
        both.PutBe(2, ports.Destination);
        return new NftMatch(new NftRawPayload(NftPayloadBase.Transport, 0, 32), NftOperator.NotEqual, new NftConstant(NftDataType.Integer, new NftData(both)));
    }

    private static NftOpaque OfCodec(XtCodec<IptablesMatch> codec, PortMatch? ports = null)
    {
        Span<byte> info = stackalloc byte[codec.Size];
        info.Clear();
        codec.Write(ports ?? PortMatch.Any, info, default);
        return new XtExtension(codec.Name, codec.Revision, info).ToExpression(XtExtension.Match);
    }

    // As iptables does: one port, up to a port, or a range.
    private static void AddPort(ImmutableArray<NftStatement>.Builder statements, NftField field, PortRange ports)
    {
        if (ports.First > ports.Last) throw new ArgumentException($"{ports} is no range.", nameof(ports));
        if (ports.First == ports.Last) statements.Add(new NftMatch(new NftPayload(field), Operator(ports.Negated), Port(ports.First)));
        else if (ports.First == 0 && ports.Last < ushort.MaxValue)
            statements.Add(new NftMatch(new NftPayload(field), ports.Negated ? NftOperator.Greater : NftOperator.LessOrEqual, Port(ports.Last)));
        else if (ports.Negated) statements.Add(new NftRangeMatch(new NftPayload(field), Port(ports.First), Port(ports.Last), Negated: true));
        else statements.AddRange(IptablesPortRange.Write(field == NftField.ThSport, ports));
    }

    private static NftConstant Port(ushort port) => new(NftDataType.InetService, NftValue.Port(port));

    private static NftStatement Mark(MarkMatch match)
    {
        var mark = new NftMeta(NftMetaKey.Mark);
        if (match.Mask == uint.MaxValue) return new NftMatch(mark, Operator(match.Negated), new NftConstant(NftDataType.Mark, NftValue.Number(match.Value)));
        return match.Value == 0
            ? new NftBitsMatch(mark, match.Mask, !match.Negated)
            : new NftMatch(new NftBitwise(mark, match.Mask, 0), Operator(match.Negated), new NftConstant(NftDataType.Mark, NftValue.Number(match.Value)));
    }
}
