using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Expressions that end a statement.</summary>
internal sealed partial class NftRuleDecoder
{
    private NftStatement? Statement(string? name, NlAttributes attributes) => name switch
    {
        "cmp" => Compare(attributes),
        "lookup" => Lookup(attributes),
        "immediate" => Verdict(attributes),
        "payload" => SetAddress(attributes),
        "meta" => SetMeta(attributes),
        "ct" => SetCt(attributes),
        "nat" => Nat(attributes),
        "masq" => Masquerade(attributes),
        "redir" => Redirect(attributes),
        "tproxy" => Tproxy(attributes),
        "reject" => Reject(attributes),
        "counter" => Counter(attributes),
        "log" => Log(attributes),
        "dynset" => Dynset(attributes),
        _ => null,
    };

    private NftStatement? Compare(NlAttributes attributes)
    {
        if (!attributes.TryFind(CompareAttribute.Data, out var data)) return null;
        if (Number(attributes, CompareAttribute.Operator) is not (((uint)NftOperator.Equal or (uint)NftOperator.NotEqual) and var @operator)) return null;
        var left = _registers[Number(attributes, CompareAttribute.SourceRegister)];
        return NftRaise.Compare(left, (NftOperator)@operator, NftDataCodec.ReadValue(data));
    }

    private NftStatement? Lookup(NlAttributes attributes)
    {
        if (LookedUp(attributes) is not ({ } set, { } key)) return null;
        var isInverted = (Number(attributes, LookupAttribute.Flags) ?? 0) == LookupInverted;
        var isAnonymous = anonymous.TryGetValue(set.Key.Name, out var elements);
        var destination = Number(attributes, LookupAttribute.DestinationRegister);
        if (destination is null) return isAnonymous ? new NftAnonymousSetMatch(key, elements!, isInverted) : new NftSetMatch(key, set.Key.Name, isInverted);
        if (destination != NftRegister.Verdict || isInverted || set.Kind != NftSetKind.VerdictMap) return null;
        return isAnonymous ? new NftAnonymousVerdictMap(key, elements!) : new NftVerdictMapStatement(key, set.Key.Name);
    }

    private NftVerdictStatement? Verdict(NlAttributes attributes)
    {
        if (Number(attributes, ImmediateAttribute.DestinationRegister) != NftRegister.Verdict) return null;
        if (!attributes.TryFind(ImmediateAttribute.Data, out var data)) return null;
        return NftDataCodec.ReadVerdict(data, _verdicts) is { } verdict ? new NftVerdictStatement(verdict) : null;
    }

    private NftSetAddress? SetAddress(NlAttributes attributes)
    {
        if (Number(attributes, PayloadAttribute.Base) is not { } @base || Number(attributes, PayloadAttribute.Offset) is not { } offset) return null;
        if (Number(attributes, PayloadAttribute.Length) is not (> 0 and <= NftData.MaxLength and var length)) return null;
        if (NftFields.Find(@base, offset, (int)length, _packetFamily) is not { Type: NftDataType.Ipv4Addr or NftDataType.Ipv6Addr } field || field.Length != length) return null;
        var isIp = field.Family == NftFamily.Ip;
        if ((Number(attributes, PayloadAttribute.ChecksumFlags) ?? 0) != ChecksumPseudoHeader) return null;
        if ((Number(attributes, PayloadAttribute.ChecksumType) ?? ChecksumNone) != (isIp ? ChecksumInet : ChecksumNone)) return null;
        if (isIp && Number(attributes, PayloadAttribute.ChecksumOffset) != ChecksumOfIp) return null;
        return Value(Number(attributes, PayloadAttribute.SourceRegister), field.Type) is { } value ? new NftSetAddress(field.Field, value) : null;
    }

    private NftSetMark? SetMeta(NlAttributes attributes)
    {
        if (Number(attributes, MetaAttribute.Key) != (uint)NftMetaKey.Mark) return null;
        return Value(Number(attributes, MetaAttribute.SourceRegister), NftDataType.Mark) is { } value ? new NftSetMark(value) : null;
    }

    private NftSetCtMark? SetCt(NlAttributes attributes)
    {
        if (Number(attributes, CtAttribute.Key) != (uint)NftCtKey.Mark || attributes.TryFind(CtAttribute.Direction, out _)) return null;
        return Value(Number(attributes, CtAttribute.SourceRegister), NftDataType.Mark) is { } value ? new NftSetCtMark(value) : null;
    }

    private NftDnat? Nat(NlAttributes attributes)
    {
        if (Number(attributes, NatAttribute.Type) != DestinationNat) return null;
        if (((Number(attributes, NatAttribute.Flags) ?? 0) & ~(RangeAddresses | RangeProto)) != 0) return null;
        var (address, port) = (Number(attributes, NatAttribute.AddressMin), Number(attributes, NatAttribute.ProtoMin));
        if ((Number(attributes, NatAttribute.AddressMax) ?? address) != address) return null;
        if ((Number(attributes, NatAttribute.ProtoMax) ?? port) != port) return null;
        if (Number(attributes, NatAttribute.Family) is not (((uint)NftFamily.Ip or (uint)NftFamily.Ip6) and var of)) return null;
        var isIpv6 = of == (uint)NftFamily.Ip6;
        var type = isIpv6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        return Value(address, type) switch
        {
            NftConstant constant => ConstantNat(constant, port, isIpv6),
            (NftMapLookup or NftAnonymousMapLookup) and var map when port is null || IsNextTo(address, port, type) => new NftDnat(map, null, port is not null, isIpv6),
            _ => null,
        };
    }

    private NftDnat? ConstantNat(NftConstant address, uint? port, bool isIpv6)
    {
        if (port is null) return new NftDnat(address, null, false, isIpv6);
        if (Value(port, NftDataType.InetService) is not NftConstant constant) return null;
        return new NftDnat(address, System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(constant.Value.Span), false, isIpv6);
    }

    /// <summary>Whether the port is the part after the address.</summary>
    private static bool IsNextTo(uint? address, uint? port, NftDataType type) =>
        address is { } first && port is { } second && NftRegister.Slot(first) + NftRegister.SlotsOf(type.ByteLength()) == NftRegister.Slot(second);

    private static NftMasquerade? Masquerade(NlAttributes attributes)
    {
        if (attributes.TryFind(MasqueradeAttribute.ProtoMin, out _)) return null;
        return (Number(attributes, MasqueradeAttribute.Flags) ?? 0) switch
        {
            0 => new NftMasquerade(),
            RangeFullyRandom => new NftMasquerade(FullyRandom: true),
            _ => null,
        };
    }

    private NftRedirect? Redirect(NlAttributes attributes)
    {
        var port = Number(attributes, RedirectAttribute.ProtoMin);
        if ((Number(attributes, RedirectAttribute.ProtoMax) ?? port) != port) return null;
        if (((Number(attributes, RedirectAttribute.Flags) ?? 0) & ~RangeProto) != 0) return null;
        return Value(port, NftDataType.InetService) is (NftConstant or NftMapLookup or NftAnonymousMapLookup) and var value ? new NftRedirect(value) : null;
    }

    private NftTproxy? Tproxy(NlAttributes attributes)
    {
        if (Number(attributes, TproxyAttribute.Family) is not (((uint)NftFamily.Ip or (uint)NftFamily.Ip6) and var of)) return null;
        var type = of == (uint)NftFamily.Ip6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        if (Value(Number(attributes, TproxyAttribute.Address), type) is not NftConstant address) return null;
        if (Value(Number(attributes, TproxyAttribute.Port), NftDataType.InetService) is not NftConstant port) return null;
        return new NftTproxy(address, System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(port.Value.Span));
    }

    private NftReject? Reject(NlAttributes attributes)
    {
        var code = attributes.TryFind(RejectAttribute.Code, out var found) ? found.U8() : (byte)0;
        return (Number(attributes, RejectAttribute.Type), code) switch
        {
            (RejectTcpReset, _) => new NftReject(TcpReset: true),
            (RejectIcmp, IcmpPortUnreachable) when _packetFamily == NftFamily.Ip => new NftReject(),
            (RejectIcmp, Icmp6PortUnreachable) when _packetFamily == NftFamily.Ip6 => new NftReject(),
            (RejectIcmpx, IcmpxPortUnreachable) => new NftReject(),
            _ => null,
        };
    }

    private static NftCounter? Counter(NlAttributes attributes)
    {
        if (!attributes.TryFind(CounterAttribute.Packets, out var packets) || !attributes.TryFind(CounterAttribute.Bytes, out var bytes)) return null;
        return new NftCounter { Packets = packets.U64BigEndian(), Bytes = bytes.U64BigEndian() };
    }

    private static NftLog? Log(NlAttributes attributes)
    {
        if (attributes.TryFind(LogAttribute.Group, out _) || attributes.TryFind(LogAttribute.SnapLength, out _)) return null;
        if ((Number(attributes, LogAttribute.Level) ?? LogLevelWarning) != LogLevelWarning || (Number(attributes, LogAttribute.Flags) ?? 0) != 0) return null;
        return new NftLog(attributes.TryFind(LogAttribute.Prefix, out var prefix) ? prefix.Text() : "");
    }

    private NftDynset? Dynset(NlAttributes attributes)
    {
        if (!attributes.TryFind(DynsetAttribute.SetName, out var name) || !sets.TryGetValue(name.Text(), out var set)) return null;
        if (attributes.TryFind(DynsetAttribute.Expression, out _)
            || attributes.TryFind(DynsetAttribute.Expressions, out _) || (Number(attributes, DynsetAttribute.Flags) ?? 0) != 0) return null;
        if (Number(attributes, DynsetAttribute.Operation) is not (<= (uint)NftDynsetOperation.Delete and var operation)) return null;
        if (set.KeyType.Any(type => NftDataTypes.TryByteLength(type) is null)) return null;
        var key = _registers.Gather(Number(attributes, DynsetAttribute.KeyRegister), set.KeyType);
        if (key is null) return null;
        NftExpression? data = null;
        if (Number(attributes, DynsetAttribute.DataRegister) is { } register)
        {
            if (set.DataType.IsEmpty || set.DataType.Any(type => NftDataTypes.TryByteLength(type) is null)) return null;
            data = _registers.Gather(register, set.DataType);
            if (data is null) return null;
        }

        var milliseconds = attributes.TryFind(DynsetAttribute.Timeout, out var timeout) ? timeout.U64BigEndian() : 0;
        return new NftDynset((NftDynsetOperation)operation, set.Key.Name, key) { Timeout = NftObjectDecoder.Milliseconds(milliseconds), Data = data };
    }

    /// <summary>A register as an expression, a constant taken to be of that type.</summary>
    private NftExpression? Value(uint? register, NftDataType type) => _registers[register] switch
    {
        NftLoaded.Constant constant => constant.Data.Length == type.ByteLength() ? new NftConstant(type, constant.Data) : null,
        var loaded => loaded?.Expression,
    };
}
