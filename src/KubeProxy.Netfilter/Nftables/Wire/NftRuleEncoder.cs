using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Lowers the statements of one rule to nf_tables expressions, in the shape that nft gives them, so that nft recognizes them
/// when it lists the rule.
/// </summary>
internal sealed partial class NftRuleEncoder(NlMsgWriter writer, NftFamily family, Queue<NftSetReference> anonymous)
{
    private readonly NftExpressionWriter _expressions = new(writer);
    private readonly NftPacketContext _context = new(family);

    public void Encode(NftRule rule)
    {
        NftStatement? before = null;
        foreach (var statement in rule.Statements)
        {
            Depend(statement, before);
            Encode(statement);
            _context.See(statement);
            before = statement;
        }
    }

    /// <summary>In a table of several families, fields of one are only looked at in packets of that one.</summary>
    private void Depend(NftStatement statement, NftStatement? before)
    {
        if (!NftPacketContext.IsMixed(family)) return;
        foreach (var needed in NftParts.Families(statement))
        {
            // A comparison that stands right before is one of its own, else it would be taken for this one.
            var isOwn = before is not null && NftDependency.Family(family, before) is not null;
            if (_context.Family == needed && !isOwn) continue;
            var dependency = NftDependency.Of(family, needed);
            Encode(dependency);
            _context.See(dependency);
        }
    }

    private void Encode(NftStatement statement)
    {
        switch (statement)
        {
            case NftMatch match: Match(match); break;
            case NftRangeMatch match: Range(match); break;
            case NftPrefixMatch match: Prefix(match); break;
            case NftBitsMatch match: Bits(match); break;
            case NftSetMatch match: Lookup(match.Key, new NftSetReference(match.Set), null, match.Negated); break;
            case NftAnonymousSetMatch match: Lookup(match.Key, null, null, match.Negated); break;
            case NftVerdictMapStatement map: Lookup(map.Key, new NftSetReference(map.Map), NftRegister.Verdict, false); break;
            case NftAnonymousVerdictMap map: Lookup(map.Key, null, NftRegister.Verdict, false); break;
            case NftVerdictStatement verdict: _expressions.Verdict(verdict.Verdict); break;
            case NftSetMeta set:
                Load(set.Value, 0);
                _expressions.SetMeta(set.Key, 0);
                break;
            case NftSetCt set:
                Load(set.Value, 0);
                _expressions.SetCt(set.Key, set.Direction, 0);
                break;
            case NftSetPayload set: SetPayload(set); break;
            case NftSetExtension set:
                Load(set.Value, 0);
                _expressions.SetExthdr(0, set.Option);
                break;
            case NftResetTcpOption reset: _expressions.ResetTcpOption(reset.Option); break;
            case NftNat nat: Nat(nat); break;
            case NftTproxy tproxy: Tproxy(tproxy); break;
            case NftReject reject: Reject(reject); break;
            case NftLog log: _expressions.Log(log); break;
            case NftQueue queue: Queue(queue); break;
            case NftDup dup: Dup(dup); break;
            case NftForward forward: Forward(forward); break;
            case NftSynproxy synproxy: _expressions.Synproxy(synproxy); break;
            case NftNotrack: _expressions.Plain("notrack"); break;
            case NftFlowOffload flow: _expressions.FlowOffload(flow.Flowtable); break;
            case NftObjectReference reference: _expressions.ObjectReference(reference.Kind, reference.Name); break;
            case NftObjectMapStatement map:
                LoadKey(map.Key);
                _expressions.ObjectMap(0, map.Map is { } name ? new NftSetReference(name) : anonymous.Dequeue());
                break;
            case NftDynset dynset: Dynset(dynset); break;
            case NftStateful stateful: _expressions.Stateful(stateful); break;
            case NftOpaque opaque: _expressions.Opaque(opaque, opaque.Set is null ? null : anonymous.Dequeue()); break;
            default: throw new ArgumentException($"{statement} cannot be encoded.", nameof(statement));
        }
    }

    private void Match(NftMatch match)
    {
        if (NftPartialLoads.Of(match.Left) is { } part)
        {
            LoadBytes(match.Left, 0);
            _expressions.Bitwise(0, part.Mask, new NftData(new byte[part.Bytes]));
            _expressions.Compare(0, match.Operator, NftBits.ShiftLeft(match.Right.Value, part.Below, part.Bytes).Span);
            return;
        }

        Load(match.Left, 0);
        if (match.Operator > NftOperator.NotEqual && Swap(match.Left, 0)) _expressions.Compare(0, match.Operator, NftBits.Swap(match.Right.Value).Span);
        else _expressions.Compare(0, match.Operator, match.Right.Value.Span);
    }

    private void Range(NftRangeMatch match)
    {
        var (from, to) = (match.From.Value, match.To.Value);
        if (NftPartialLoads.Of(match.Left) is { } part)
        {
            LoadBytes(match.Left, 0);
            _expressions.Bitwise(0, part.Mask, new NftData(new byte[part.Bytes]));
            (from, to) = (NftBits.ShiftLeft(from, part.Below, part.Bytes), NftBits.ShiftLeft(to, part.Below, part.Bytes));
        }
        else
        {
            Load(match.Left, 0);
            if (Swap(match.Left, 0)) (from, to) = (NftBits.Swap(from), NftBits.Swap(to));
        }

        if (match.Negated)
        {
            _expressions.NotInRange(0, from.Span, to.Span);
            return;
        }

        _expressions.Compare(0, NftOperator.GreaterOrEqual, from.Span);
        _expressions.Compare(0, NftOperator.LessOrEqual, to.Span);
    }

    /// <summary>Turns a number round, so that its bytes can be compared; false where they can be as they are.</summary>
    private bool Swap(NftExpression expression, int slot)
    {
        if (expression.FormatsOf() is not [{ IsSwapped: true } format]) return false;
        _expressions.Byteorder(slot, format.Bytes);
        return true;
    }

    private void Prefix(NftPrefixMatch match)
    {
        var value = match.Prefix.Value.Span;
        var length = match.PrefixBits / 8;
        if (match.Prefix.Type.IsText() || (match.Left is not NftPayload && match.PrefixBits % 8 == 0 && length > 0))
        {
            Load(match.Left, 0);
            _expressions.Compare(0, match.Operator, value[..length]);
        }
        else if (match is { Left: NftPayload { Field: var field } } && match.PrefixBits % 8 == 0 && length > 0)
        {
            // Only the bytes that count are loaded.
            _expressions.Payload(0, field.Base, field.ByteOffset, length);
            _expressions.Compare(0, match.Operator, value[..length]);
        }
        else
        {
            MaskedPrefix(match, value);
        }
    }

    private void MaskedPrefix(NftPrefixMatch match, ReadOnlySpan<byte> value)
    {
        Span<byte> mask = stackalloc byte[value.Length], xor = stackalloc byte[value.Length], prefix = stackalloc byte[value.Length];
        xor.Clear();
        for (var i = 0; i < value.Length; i++)
        {
            mask[i] = NftCanonical.Mask(match.PrefixBits - (i * 8));
            prefix[i] = (byte)(value[i] & mask[i]);
        }

        Load(match.Left, 0);
        _expressions.Bitwise(0, new NftData(mask), new NftData(xor));
        _expressions.Compare(0, match.Operator, prefix);
    }

    private void Bits(NftBitsMatch match)
    {
        var format = match.Left.FormatsOf() is [var single] ? single : NftFormat.Of(NftDataType.Integer);
        Span<byte> number = stackalloc byte[4];
        if (format.IsSwapped || format.Bytes == 0) MemoryMarshal.Write(number, match.Bits);
        else System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(number, match.Bits);
        var bytes = format.IsSwapped ? number[..format.Bytes] : number[(4 - format.Bytes)..];
        Span<byte> zero = stackalloc byte[bytes.Length];
        zero.Clear();
        Load(match.Left, 0);
        _expressions.Bitwise(0, new NftData(bytes), new NftData(zero));
        _expressions.Compare(0, match.None ? NftOperator.Equal : NftOperator.NotEqual, zero);
    }

    /// <param name="key">What is looked up.</param>
    /// <param name="set">The set; null for the next anonymous one.</param>
    /// <param name="destination">The number of the register for what is found; null for nothing.</param>
    /// <param name="inverted">Match when it is not found.</param>
    private void Lookup(NftExpression key, NftSetReference? set, uint? destination, bool inverted)
    {
        if (set is null) LoadKey(key);
        else Load(key, 0);
        _expressions.Lookup(0, set ?? anonymous.Dequeue(), destination, inverted);
    }

    private void SetPayload(NftSetPayload set)
    {
        var bytes = NftPartialWrites.Bytes(set.Field);
        var checksums = set.Checksums ?? NftPartialWrites.UsualChecksums(set.Field);
        if (bytes.Length == set.Field.ByteLength && !set.Field.IsPart)
        {
            Load(set.Value, 0);
        }
        else
        {
            // The neighbours are written as they were.
            var below = ((bytes.Offset + bytes.Length) * 8) - ((set.Field.ByteOffset * 8) + (set.Field.BitOffset % 8) + set.Field.BitLength);
            Span<byte> mask = stackalloc byte[bytes.Length];
            NftBits.Mask(bytes.Length, set.Field.BitLength, below).Span.CopyTo(mask);
            for (var i = 0; i < mask.Length; i++) mask[i] = (byte)~mask[i];
            _expressions.Payload(0, bytes.Base, bytes.Offset, bytes.Length);
            _expressions.Bitwise(0, new NftData(mask), NftBits.ShiftLeft(((NftConstant)set.Value).Value, below, bytes.Length));
        }

        _expressions.SetPayload(0, bytes, checksums);
    }

    private void Reject(NftReject reject)
    {
        if (reject.TcpReset) _expressions.Reject(NftExpressionValues.RejectTcpReset, 0);
        else if (reject.With is { } with) _expressions.Reject(with.IsEither ? NftExpressionValues.RejectIcmpx : NftExpressionValues.RejectIcmp, with.Code);
        else if (_context.Family == NftFamily.Ip) _expressions.Reject(NftExpressionValues.RejectIcmp, NftExpressionValues.IcmpPortUnreachable);
        else if (_context.Family == NftFamily.Ip6) _expressions.Reject(NftExpressionValues.RejectIcmp, NftExpressionValues.Icmp6PortUnreachable);
        else _expressions.Reject(NftExpressionValues.RejectIcmpx, NftExpressionValues.IcmpxPortUnreachable);
    }

    private void Dynset(NftDynset dynset)
    {
        Load(dynset.Key, 0);
        NftSetReference set = dynset.Meter is null ? new(dynset.Set) : anonymous.Dequeue();
        if (dynset.Data is not { } data)
        {
            _expressions.Dynset(dynset, set, 0, null);
            return;
        }

        var slot = NftRegister.NextLong(NftRegister.SlotsOf(NftExpressionTypes.LengthOf(dynset.Key) ?? 4) - 1);
        Load(data, slot);
        _expressions.Dynset(dynset, set, 0, slot);
    }
}
