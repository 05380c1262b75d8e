using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Raises what iptables-nft (or this library) wrote to rules. Never fails: what it does not know is kept as it is.</summary>
internal sealed class IptablesRuleDecoder(IpFamily family)
{
    private readonly ImmutableArray<IptablesMatch>.Builder _matches = ImmutableArray.CreateBuilder<IptablesMatch>();
    private AddressMatch? _source;
    private AddressMatch? _destination;
    private InterfaceMatch? _input;
    private InterfaceMatch? _output;
    private ProtocolMatch? _protocol;
    private IptablesTarget? _target;

    /// <summary>Reads a rule. Not thread-safe: one decoder, one rule at a time.</summary>
    public IptablesRule Decode(NftRule rule)
    {
        (_source, _destination, _input, _output, _protocol, _target) = (null, null, null, null, null, null);
        _matches.Clear();
        var left = rule.Statements.Length;
        foreach (var statement in rule.Statements)
        {
            // The header comes first, and the target last; what looks like them elsewhere is something else.
            left--;
            if (!(TryHeader(statement) || (left == 0 && TryTarget(statement)) || statement is NftCounter)) AddMatch(statement);
        }

        return new IptablesRule
        {
            Source = _source,
            Destination = _destination,
            InputInterface = _input,
            OutputInterface = _output,
            Protocol = _protocol,
            Matches = _matches.DrainToImmutable(),
            Target = _target,
        };
    }

    private bool TryHeader(NftStatement statement) => _matches.Count == 0 && statement switch
    {
        NftMatch { Operator: > NftOperator.NotEqual } => false,
        NftMatch { Left: NftMeta { Key: NftMetaKey.Iifname } } match => Once(ref _input, Interface(match)),
        NftMatch { Left: NftMeta { Key: NftMetaKey.Oifname } } match => Once(ref _output, Interface(match)),
        NftPrefixMatch { Left: NftMeta { Key: NftMetaKey.Iifname } } match => Once(ref _input, Interface(match)),
        NftPrefixMatch { Left: NftMeta { Key: NftMetaKey.Oifname } } match => Once(ref _output, Interface(match)),
        NftMatch { Left: NftMeta { Key: NftMetaKey.L4proto } } match => Once(ref _protocol, ReadProtocol(match)),
        NftMatch { Left: NftPayload { Field: var field } } match when IsSource(field) => Once(ref _source, Address(match)),
        NftMatch { Left: NftPayload { Field: var field } } match when IsDestination(field) => Once(ref _destination, Address(match)),
        NftPrefixMatch { Left: NftPayload { Field: var field } } match when IsSource(field) => Once(ref _source, Address(match)),
        NftPrefixMatch { Left: NftPayload { Field: var field } } match when IsDestination(field) => Once(ref _destination, Address(match)),
        _ => false,
    };

    private static bool IsSource(NftField field) => field == NftField.IpSaddr || field == NftField.Ip6Saddr;

    private static bool IsDestination(NftField field) => field == NftField.IpDaddr || field == NftField.Ip6Daddr;

    private bool TryTarget(NftStatement statement)
    {
        _target = statement switch
        {
            NftVerdictStatement verdict => new VerdictTarget(verdict.Verdict),
            NftOpaque { Name: XtExtension.Target } opaque => XtTargets.Table.Read(opaque, Context) ?? new UnknownTarget(opaque),
            NftLog log => NflogTarget.Of(log),
            NftSetMeta when statement == IptablesRuleEncoder.Trace => new TraceTarget(),
            _ => null,
        };
        return _target is not null;
    }

    private void AddMatch(NftStatement statement)
    {
        switch (statement)
        {
            case NftOpaque range when HasPorts && _matches is [.., UnknownMatch { Statement: NftOpaque load }] && IptablesPortRange.Read(load, range) is { } ports:
                _matches.RemoveAt(_matches.Count - 1);
                AddPorts(ports.IsSource ? ports.Ports : null, ports.IsSource ? null : ports.Ports);
                break;
            case NftOpaque opaque: _matches.Add(XtMatches.Table.Read(opaque, Context) ?? new UnknownMatch(opaque)); break;
            case NftLimit { IsBytes: false, Over: false } limit when new LimitMatch(limit.Rate, limit.Unit, limit.Burst) is { IsWhole: true } known: _matches.Add(known); break;
            case NftMatch or NftRangeMatch when HasPorts && PortOf(statement) is { } port:
                if (port.IsSource) AddPorts(port.Ports, null);
                else AddPorts(null, port.Ports);
                break;
            case NftMatch { Left: NftRawPayload { Base: NftPayloadBase.Transport, BitOffset: 0, BitLength: 32 }, Operator: NftOperator.NotEqual } match when HasPorts:
                var both = BinaryPrimitives.ReadUInt32BigEndian(match.Right.Value.Span);
                _matches.Add(new PortPairMatch((ushort)(both >> 16), (ushort)both));
                break;
            case NftMatch or NftBitsMatch when Context.IsFor(Protocol.Tcp) && TcpFlagsOf(statement) is { } flags: _matches.Add(new TcpMatch { Flags = flags }); break;
            case NftMatch { Operator: > NftOperator.NotEqual }: _matches.Add(new UnknownMatch(statement)); break;
            case NftMatch { Left: NftBitwise { Value: NftMeta { Key: NftMetaKey.Mark }, Numbers: { Xor: 0 } numbers } } match:
                _matches.Add(new MarkMatch(Number(match.Right), numbers.Mask, IsNegated(match.Operator)));
                break;
            case NftMatch { Left: NftMeta { Key: NftMetaKey.Mark } } match:
                _matches.Add(new MarkMatch(Number(match.Right), uint.MaxValue, IsNegated(match.Operator)));
                break;
            case NftBitsMatch { Left: NftMeta { Key: NftMetaKey.Mark } } match: _matches.Add(new MarkMatch(0, match.Bits, !match.None)); break;
            default: _matches.Add(new UnknownMatch(statement)); break;
        }
    }

    private XtContext Context => new(family, _protocol);

    private bool HasPorts => _protocol is { Negated: false, Protocol: Protocol.Tcp or Protocol.Udp };

    // A port is compared as such, as a range, or (where the range begins with 0) with its end.
    private static (bool IsSource, PortRange Ports)? PortOf(NftStatement statement)
    {
        var left = statement switch { NftMatch match => match.Left, NftRangeMatch range => range.Left, _ => null };
        if (left is not NftPayload { Field: { Name: "sport" or "dport", Type: NftDataType.InetService } field }) return null;
        PortRange? ports = statement switch
        {
            NftRangeMatch range => new PortRange(Port(range.From), Port(range.To), range.Negated),
            NftMatch { Operator: NftOperator.Equal or NftOperator.NotEqual } match => new PortRange(Port(match.Right), Port(match.Right), IsNegated(match.Operator)),
            NftMatch { Operator: NftOperator.LessOrEqual or NftOperator.Greater } match => new PortRange(0, Port(match.Right), match.Operator == NftOperator.Greater),
            _ => null,
        };
        // Iptables would write a range that ends where it begins as one port.
        if (ports is null || (statement is not NftMatch { Operator: <= NftOperator.NotEqual } && (ports.First >= ports.Last || ports is { First: 0, Last: ushort.MaxValue }))) return null;
        if (statement is NftRangeMatch && (ports.First == 0 || !ports.Negated)) return null;
        return (field.Name == "sport", ports);
    }

    // Ports and flags of one extension are comparisons in a row.
    private void AddPorts(PortRange? source, PortRange? destination)
    {
        switch (_matches)
        {
            case [.., PortMatch { Source: not null, Destination: null } before] when destination is not null: _matches[^1] = before with { Destination = destination }; break;
            case [.., TcpMatch { Option: null, Source: null, Destination: null } before]: _matches[^1] = before with { Source = source, Destination = destination }; break;
            case [.., TcpMatch { Option: null, Source: not null, Destination: null } before] when destination is not null: _matches[^1] = before with { Destination = destination }; break;
            default: _matches.Add(new PortMatch(source, destination)); break;
        }
    }

    private static TcpFlagsTest? TcpFlagsOf(NftStatement statement) => statement switch
    {
        NftMatch { Operator: <= NftOperator.NotEqual, Left: NftBitwise { Value: NftPayload { Field: var field }, IsMask: true } bits } match when field == NftField.TcpFlags =>
            new TcpFlagsTest(bits.Mask.Span[0], match.Right.Value.Span[0], IsNegated(match.Operator)),
        NftBitsMatch { Left: NftPayload { Field: var field } } match when field == NftField.TcpFlags => new TcpFlagsTest((byte)match.Bits, 0, !match.None),
        _ => null,
    };

    private static bool Once<T>(ref T? slot, T? value) where T : class
    {
        if (slot is not null || value is null) return false;
        slot = value;
        return true;
    }

    private static bool IsNegated(NftOperator @operator) => @operator == NftOperator.NotEqual;

    private static AddressMatch Address(NftMatch match)
    {
        var address = IpAddr.FromBytes(match.Right.Value.Span);
        return new AddressMatch(Cidr.Single(address), IsNegated(match.Operator));
    }

    private static AddressMatch Address(NftPrefixMatch match) =>
        new(XtAddresses.Block(match.Prefix.Value.Span, match.PrefixBits), IsNegated(match.Operator));

    private static InterfaceMatch? Interface(NftMatch match) =>
        XtText.Read(match.Right.Value.Span) is { } name ? new InterfaceMatch(name, IsNegated(match.Operator)) : null;

    private static InterfaceMatch? Interface(NftPrefixMatch match)
    {
        var bytes = match.Prefix.Value.Span[..(match.PrefixBits / 8)];
        return bytes.Contains((byte)0) ? null : new InterfaceMatch(Encoding.UTF8.GetString(bytes) + "+", IsNegated(match.Operator));
    }

    private static ProtocolMatch ReadProtocol(NftMatch match) => new((Protocol)match.Right.Value.Span[0], IsNegated(match.Operator));

    private static ushort Port(NftConstant constant) => BinaryPrimitives.ReadUInt16BigEndian(constant.Value.Span);

    private static uint Number(NftConstant constant) => MemoryMarshal.Read<uint>(constant.Value.Span);
}
