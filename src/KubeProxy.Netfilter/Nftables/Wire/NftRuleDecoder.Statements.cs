using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Expressions that end a statement.</summary>
internal sealed partial class NftRuleDecoder
{
    private NftStatement[] Statements(string name, NlAttributes attributes)
    {
        if (name == "cmp") return Compare(attributes);
        return Statement(name, attributes) is { } statement ? [statement] : [];
    }

    private NftStatement? Statement(string name, NlAttributes attributes) => name switch
    {
        "range" => Range(attributes),
        "lookup" => LookupStatement(attributes),
        "immediate" => Verdict(attributes),
        "payload" => SetPayload(attributes),
        "exthdr" => SetExthdr(attributes),
        "meta" => SetMeta(attributes),
        "ct" => SetCt(attributes),
        "nat" => Nat(attributes),
        "masq" => Masquerade(attributes),
        "redir" => Redirect(attributes),
        "tproxy" => Tproxy(attributes),
        "reject" => Reject(attributes),
        "log" => Log(attributes),
        "queue" => Queue(attributes),
        "dup" => Dup(attributes),
        "fwd" => Forward(attributes),
        "synproxy" => NftObjectCodec.Synproxy(attributes),
        "notrack" => new NftNotrack(),
        "objref" => ObjectReference(attributes),
        "flow_offload" => attributes.TryFind(FlowOffloadAttribute.Table, out var table) ? new NftFlowOffload(table.Text()) : null,
        "dynset" => Dynset(attributes),
        _ => NftStatefulCodec.Read(name, attributes),
    };

    private NftStatement[] Compare(NlAttributes attributes)
    {
        if (!attributes.TryFind(CompareAttribute.Data, out var data)) return [];
        if (Number(attributes, CompareAttribute.Operator) is not (<= (uint)NftOperator.GreaterOrEqual and var @operator)) return [];
        var left = Registers[Number(attributes, CompareAttribute.SourceRegister)];
        return NftRaise.Compare(left, (NftOperator)@operator, NftDataCodec.ReadValue(data), _context).ToArray();
    }

    private NftRangeMatch? Range(NlAttributes attributes)
    {
        if (!attributes.TryFind(RangeAttribute.From, out var from) || !attributes.TryFind(RangeAttribute.To, out var to)) return null;
        // NFT_RANGE_EQ and NFT_RANGE_NEQ have the numbers of the comparisons.
        if (Number(attributes, RangeAttribute.Operator) is not ((uint)NftOperator.NotEqual)) return null;
        return NftRaise.Range(Registers[Number(attributes, RangeAttribute.SourceRegister)], negated: true, NftDataCodec.ReadValue(from), NftDataCodec.ReadValue(to), _context);
    }

    private NftStatement? LookupStatement(NlAttributes attributes)
    {
        if (LookedUp(attributes) is not { } found) return null;
        var isInverted = (Number(attributes, LookupAttribute.Flags) ?? 0) == LookupInverted;
        var destination = Number(attributes, LookupAttribute.DestinationRegister);
        if (destination is null)
        {
            if (found.Set.Kind != NftSetKind.Set && found.Elements is not null) return null;
            return found.Elements is null ? new NftSetMatch(found.Key, found.Set.Key.Name, isInverted) : new NftAnonymousSetMatch(found.Key, found.Elements, isInverted);
        }

        if (destination != NftRegister.Verdict || isInverted || found.Set.Kind != NftSetKind.VerdictMap) return null;
        return found.Elements is null ? new NftVerdictMapStatement(found.Key, found.Set.Key.Name) : new NftAnonymousVerdictMap(found.Key, found.Elements);
    }

    private NftVerdictStatement? Verdict(NlAttributes attributes)
    {
        if (Number(attributes, ImmediateAttribute.DestinationRegister) != NftRegister.Verdict) return null;
        if (!attributes.TryFind(ImmediateAttribute.Data, out var data)) return null;
        return NftDataCodec.ReadVerdict(data, _verdicts) is { } verdict ? new NftVerdictStatement(verdict) : null;
    }

    private NftSetPayload? SetPayload(NlAttributes attributes)
    {
        if (Number(attributes, PayloadAttribute.SourceRegister) is not { } source) return null;
        if (Number(attributes, PayloadAttribute.Base) is not (<= (uint)NftPayloadBase.Inner and var @base) || Number(attributes, PayloadAttribute.Offset) is not (<= ushort.MaxValue and var offset)) return null;
        if (Number(attributes, PayloadAttribute.Length) is not (> 0 and <= NftData.MaxLength and var length)) return null;
        var checksums = new NftChecksums(
            Number(attributes, PayloadAttribute.ChecksumType) ?? 0, Number(attributes, PayloadAttribute.ChecksumOffset) ?? 0,
            (Number(attributes, PayloadAttribute.ChecksumFlags) ?? 0) == ChecksumPseudoHeader);
        var packet = new NftLoaded.Packet((NftPayloadBase)@base, (int)offset, (int)length);
        var (field, value) = NftPartialWrites.Read(packet, Registers[source], _context)
            ?? (_context.Find(packet.Base, packet.Offset * 8, packet.Length * 8), null);
        if (field is null) return null;
        value ??= Value(source, field.Format);
        if (value is null) return null;
        var usual = NftPartialWrites.UsualChecksums(field);
        return new NftSetPayload(field, value) { Checksums = checksums == usual ? null : checksums };
    }

    private NftSetExtension? SetExthdrValue(NlAttributes attributes, uint source)
    {
        if (!attributes.TryFind(ExthdrAttribute.Type, out var type) || Number(attributes, ExthdrAttribute.Operation) != (uint)NftExtensionKind.TcpOption) return null;
        if (Number(attributes, ExthdrAttribute.Offset) is not (<= byte.MaxValue and var offset) || Number(attributes, ExthdrAttribute.Length) is not ((2 or 4) and var length)) return null;
        var option = new NftExtension(NftExtensionKind.TcpOption, type.U8(), (int)offset * 8, (int)length * 8);
        // What the kernel computes is in host order; nft swaps it.
        var value = Registers[source] is NftLoaded.Swapped swapped ? NftRaise.Expression(swapped, _context) : Value(source, option.FormatsOf()[0]);
        return value is null ? null : new NftSetExtension(option, value);
    }

    private NftStatement? SetExthdr(NlAttributes attributes)
    {
        if (Number(attributes, ExthdrAttribute.SourceRegister) is { } source) return SetExthdrValue(attributes, source);
        if (attributes.TryFind(ExthdrAttribute.DestinationRegister, out _) || !attributes.TryFind(ExthdrAttribute.Type, out var type)) return null;
        return Number(attributes, ExthdrAttribute.Operation) == (uint)NftExtensionKind.TcpOption ? new NftResetTcpOption(type.U8()) : null;
    }

    private NftSetMeta? SetMeta(NlAttributes attributes)
    {
        if (Number(attributes, MetaAttribute.Key) is not { } key || !NftKeyTable.Has((NftMetaKey)key)) return null;
        return Value(Number(attributes, MetaAttribute.SourceRegister), NftKeyTable.Meta((NftMetaKey)key).Format) is { } value ? new NftSetMeta((NftMetaKey)key, value) : null;
    }

    private NftSetCt? SetCt(NlAttributes attributes)
    {
        if (Number(attributes, CtAttribute.Key) is not { } key || !NftKeyTable.Has((NftCtKey)key)) return null;
        NftCtDirection? direction = attributes.TryFind(CtAttribute.Direction, out var found) ? (NftCtDirection)found.U8() : null;
        return Value(Number(attributes, CtAttribute.SourceRegister), NftKeyTable.Ct((NftCtKey)key).Format) is { } value ? new NftSetCt((NftCtKey)key, value, direction) : null;
    }

    private NftTproxy? Tproxy(NlAttributes attributes)
    {
        var of = Number(attributes, TproxyAttribute.Family) ?? 0;
        if (of is not (0 or (uint)NftFamily.Ip or (uint)NftFamily.Ip6)) return null;
        NftConstant? address = null;
        if (Number(attributes, TproxyAttribute.Address) is { } register)
        {
            address = Value(register, NftFormat.Of(of == (uint)NftFamily.Ip6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr)) as NftConstant;
            if (address is null) return null;
        }

        ushort? port = null;
        if (Number(attributes, TproxyAttribute.Port) is { } portRegister)
        {
            if (Value(portRegister, NftFormat.Of(NftDataType.InetService)) is not NftConstant constant) return null;
            port = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(constant.Value.Span);
        }

        return new NftTproxy(address, port) { Family = address is null && of != 0 ? (NftFamily)of : null };
    }

    private NftReject? Reject(NlAttributes attributes)
    {
        var code = attributes.TryFind(RejectAttribute.Code, out var found) ? found.U8() : (byte)0;
        return Number(attributes, RejectAttribute.Type) switch
        {
            RejectTcpReset => new NftReject(TcpReset: true),
            RejectIcmp when code == UsualCode() => new NftReject(),
            RejectIcmp => new NftReject { With = new NftRejectCode(false, code) },
            RejectIcmpx when code == IcmpxPortUnreachable && UsualCode() is null => new NftReject(),
            RejectIcmpx => new NftReject { With = new NftRejectCode(true, code) },
            _ => null,
        };
    }

    private byte? UsualCode() => _context.Family switch
    {
        NftFamily.Ip => IcmpPortUnreachable,
        NftFamily.Ip6 => Icmp6PortUnreachable,
        _ => null,
    };

    private static NftLog? Log(NlAttributes attributes)
    {
        var level = Number(attributes, LogAttribute.Level) ?? LogLevelWarning;
        return new NftLog(attributes.TryFind(LogAttribute.Prefix, out var prefix) ? prefix.Text() : "")
        {
            Level = level == LogLevelWarning ? null : level,
            Flags = (NftLogFlags)(Number(attributes, LogAttribute.Flags) ?? 0),
            Group = attributes.TryFind(LogAttribute.Group, out var group) ? group.U16BigEndian() : null,
            SnapLength = Number(attributes, LogAttribute.SnapLength),
            QueueThreshold = attributes.TryFind(LogAttribute.Threshold, out var threshold) ? threshold.U16BigEndian() : null,
        };
    }

    private NftQueue? Queue(NlAttributes attributes)
    {
        var flags = attributes.TryFind(QueueAttribute.Flags, out var found) ? (NftQueueFlags)found.U16BigEndian() : NftQueueFlags.None;
        if (Number(attributes, QueueAttribute.NumberRegister) is { } register)
            return Value(register, new NftFormat(NftDataType.Integer, 16, NftByteOrder.Host)) is { } number ? new NftQueue(0, 0, flags) { Number = number } : null;
        if (!attributes.TryFind(QueueAttribute.Number, out var first)) return null;
        var total = attributes.TryFind(QueueAttribute.Total, out var count) ? count.U16BigEndian() : (ushort)1;
        return new NftQueue(first.U16BigEndian(), (ushort)(first.U16BigEndian() + Math.Max(total, (ushort)1) - 1), flags);
    }

    private NftDup? Dup(NlAttributes attributes)
    {
        var (address, device) = (Number(attributes, DupAttribute.Address), Number(attributes, DupAttribute.Device));
        var type = family == NftFamily.Ip6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        var dup = new NftDup(Value(address, NftFormat.Of(type)), Value(device, NftFormat.Of(NftDataType.IfIndex)));
        return address is not null == dup.Address is not null && device is not null == dup.Device is not null ? dup : null;
    }

    private NftForward? Forward(NlAttributes attributes)
    {
        if (Value(Number(attributes, FwdAttribute.Device), NftFormat.Of(NftDataType.IfIndex)) is not { } device) return null;
        if (Number(attributes, FwdAttribute.Address) is not { } register) return new NftForward(device);
        if (Number(attributes, FwdAttribute.Family) is not (((uint)NftFamily.Ip or (uint)NftFamily.Ip6) and var of)) return null;
        var type = of == (uint)NftFamily.Ip6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        return Value(register, NftFormat.Of(type)) is { } address ? new NftForward(device, address, (NftFamily)of) : null;
    }

    private NftStatement? ObjectReference(NlAttributes attributes)
    {
        if (attributes.TryFind(ObjrefAttribute.Name, out var name))
            return Number(attributes, ObjrefAttribute.Type) is { } kind ? new NftObjectReference((NftObjectKind)kind, name.Text()) : null;
        if (!attributes.TryFind(ObjrefAttribute.SetName, out var map) || !sets.TryGetValue(map.Text(), out var set)) return null;
        return LookedUp(set, Number(attributes, ObjrefAttribute.SetRegister)) is { } found
            ? new NftObjectMapStatement(set.ObjectKind, found.Key, found.Elements is null ? set.Key.Name : null, found.Elements) : null;
    }

    private NftDynset? Dynset(NlAttributes attributes)
    {
        if (!attributes.TryFind(DynsetAttribute.SetName, out var name) || !sets.TryGetValue(name.Text(), out var set)) return null;
        if (((Number(attributes, DynsetAttribute.Flags) ?? 0) & ~NftDynsetFlags.Expressions) != 0) return null;
        if (Number(attributes, DynsetAttribute.Operation) is not (<= (uint)NftDynsetOperation.Delete and var operation)) return null;
        if (Registers.Gather(Number(attributes, DynsetAttribute.KeyRegister), set.KeyLength, set.KeyType) is not { } key) return null;
        NftExpression? data = null;
        if (Number(attributes, DynsetAttribute.DataRegister) is { } register)
        {
            data = Registers[register] is NftLoaded.Constant && set.DataType is [var type] ? Value(register, NftFormat.Of(type)) : Registers.Gather(register, set.DataLength, set.DataType);
            if (data is null) return null;
        }

        if (NftStatefulCodec.ReadAll(attributes) is not { } statements) return null;
        var milliseconds = attributes.TryFind(DynsetAttribute.Timeout, out var timeout) ? timeout.U64BigEndian() : 0;
        return new NftDynset((NftDynsetOperation)operation, set.Key.Name, key) { Timeout = NftObjectDecoder.Milliseconds(milliseconds), Data = data, Statements = statements, Meter = anonymous.ContainsKey(set.Key.Name) ? set : null };
    }

    /// <summary>A register as an expression, a constant taken to be of that kind.</summary>
    private NftExpression? Value(uint? register, NftFormat format) => Registers[register] switch
    {
        NftLoaded.Constant constant => constant.Data.Length == format.Bytes ? new NftConstant(format.Type, constant.Data) : null,
        var loaded => NftRaise.Expression(loaded, _context),
    };
}
