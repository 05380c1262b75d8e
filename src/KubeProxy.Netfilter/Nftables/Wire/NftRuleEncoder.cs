using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Lowers the statements of one rule to nf_tables expressions, in the shape that nft gives them, so that nft recognizes them
/// when it lists the rule.
/// </summary>
internal sealed class NftRuleEncoder(NlMsgWriter writer, NftFamily family, Queue<NftSetReference> anonymous)
{
    // The port of a constant address and port: nft leaves a whole 16-byte register to the address.
    private const int ConstantPortSlot = 4;

    private readonly NftExpressionWriter _expressions = new(writer);
    private NftFamily? _dependency;
    private NftFamily? _packetFamily = family == NftFamily.Inet ? null : family;

    public void Encode(NftRule rule)
    {
        foreach (var statement in rule.Statements)
        {
            Depend(statement);
            Encode(statement);
        }
    }

    /// <summary>In a table of both families, fields of one are only looked at in packets of that one.</summary>
    private void Depend(NftStatement statement)
    {
        if (family != NftFamily.Inet) return;
        foreach (var needed in NftStatementFamilies.Of(statement))
        {
            if (_dependency == needed && _packetFamily == needed) continue;
            _dependency = needed;
            _expressions.Meta(0, NftMetaKey.Nfproto);
            _expressions.Compare(0, NftOperator.Equal, [(byte)needed]);
            _packetFamily = needed;
        }
    }

    private void Encode(NftStatement statement)
    {
        switch (statement)
        {
            case NftMatch match: Match(match); break;
            case NftPrefixMatch match: Prefix(match); break;
            case NftBitsMatch match: Bits(match); break;
            case NftSetMatch match: Lookup(match.Key, new NftSetReference(match.Set), null, match.Negated); break;
            case NftAnonymousSetMatch match: Lookup(match.Key, null, null, match.Negated); break;
            case NftVerdictMapStatement map: Lookup(map.Key, new NftSetReference(map.Map), NftRegister.Verdict, false); break;
            case NftAnonymousVerdictMap map: Lookup(map.Key, null, NftRegister.Verdict, false); break;
            case NftVerdictStatement verdict: _expressions.Verdict(verdict.Verdict); break;
            case NftSetMark mark: SetMark(mark); break;
            case NftSetCtMark mark: SetCtMark(mark); break;
            case NftSetAddress set: SetAddress(set); break;
            case NftDnat dnat: Dnat(dnat); break;
            case NftMasquerade masquerade: _expressions.Masquerade(masquerade.FullyRandom); break;
            case NftRedirect redirect: Redirect(redirect); break;
            case NftTproxy tproxy: Tproxy(tproxy); break;
            case NftTransparentSocket: TransparentSocket(); break;
            case NftReject reject: Reject(reject); break;
            case NftCounter counter: _expressions.Counter(counter); break;
            case NftLog log: _expressions.Log(log.Prefix); break;
            case NftDynset dynset: Dynset(dynset); break;
            case NftOpaque opaque: _expressions.Opaque(opaque.Name, opaque.Attributes); break;
            default: throw new ArgumentException($"{statement} cannot be encoded.", nameof(statement));
        }
    }

    private void Match(NftMatch match)
    {
        Load(match.Left, 0);
        _expressions.Compare(0, match.Operator, match.Right.Value.Span);
        if (match is { Left: NftMeta { Key: NftMetaKey.Nfproto }, Operator: NftOperator.Equal })
            _packetFamily = (NftFamily)match.Right.Value.Span[0];
    }

    private void Prefix(NftPrefixMatch match)
    {
        var value = match.Prefix.Value.Span;
        var length = match.PrefixBits / 8;
        if (match.Prefix.Type == NftDataType.Ifname)
        {
            Load(match.Left, 0);
            _expressions.Compare(0, match.Operator, value[..length]);
        }
        else if (match.PrefixBits % 8 == 0 && length > 0)
        {
            // Only the bytes that count are loaded.
            var layout = NftFields.Layout(((NftPayload)match.Left).Field);
            _expressions.Payload(0, layout.Base, layout.Offset, length);
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
        _expressions.Bitwise(0, mask, xor);
        _expressions.Compare(0, match.Operator, prefix);
    }

    private void Bits(NftBitsMatch match)
    {
        Load(match.Left, 0);
        _expressions.Bitwise(0, match.Bits, 0);
        _expressions.Compare(0, match.None ? NftOperator.Equal : NftOperator.NotEqual, [0, 0, 0, 0]);
    }

    /// <param name="key">What is looked up.</param>
    /// <param name="set">The set; null for the next anonymous one.</param>
    /// <param name="destination">The number of the register for what is found; null for nothing.</param>
    /// <param name="inverted">Match when it is not found.</param>
    private void Lookup(NftExpression key, NftSetReference? set, uint? destination, bool inverted)
    {
        Load(key, 0);
        _expressions.Lookup(0, set ?? anonymous.Dequeue(), destination, inverted);
    }

    private void SetMark(NftSetMark mark)
    {
        Load(mark.Value, 0);
        _expressions.SetMeta(NftMetaKey.Mark, 0);
    }

    private void SetCtMark(NftSetCtMark mark)
    {
        Load(mark.Value, 0);
        _expressions.SetCt(NftCtKey.Mark, 0);
    }

    private void SetAddress(NftSetAddress set)
    {
        Load(set.Value, 0);
        _expressions.SetPayload(0, NftFields.Layout(set.Field));
    }

    private void Dnat(NftDnat dnat)
    {
        Load(dnat.Target, 0);
        if (dnat.Port is { } port)
        {
            _expressions.Immediate(ConstantPortSlot, NftValue.Port(port).Span);
            _expressions.Dnat(dnat.IPv6, 0, ConstantPortSlot, isConstantPort: true);
            return;
        }

        var addressSlots = dnat.IPv6 ? 4 : 1;
        _expressions.Dnat(dnat.IPv6, 0, dnat.TargetHasPort ? addressSlots : null, isConstantPort: false);
    }

    private void Redirect(NftRedirect redirect)
    {
        Load(redirect.Port, 0);
        _expressions.Redirect(0);
    }

    private void Tproxy(NftTproxy tproxy)
    {
        Load(tproxy.Address, 0);
        _expressions.Immediate(ConstantPortSlot, NftValue.Port(tproxy.Port).Span);
        _expressions.Tproxy(tproxy.Address.Type == NftDataType.Ipv6Addr, 0, ConstantPortSlot);
    }

    private void TransparentSocket()
    {
        _expressions.TransparentSocket(0);
        _expressions.Compare(0, NftOperator.Equal, [1]);
    }

    private void Reject(NftReject reject)
    {
        if (reject.TcpReset) _expressions.Reject(RejectTcpReset, 0);
        else if (_packetFamily == NftFamily.Ip) _expressions.Reject(RejectIcmp, IcmpPortUnreachable);
        else if (_packetFamily == NftFamily.Ip6) _expressions.Reject(RejectIcmp, Icmp6PortUnreachable);
        else _expressions.Reject(RejectIcmpx, IcmpxPortUnreachable);
    }

    private void Dynset(NftDynset dynset)
    {
        Load(dynset.Key, 0);
        if (dynset.Data is not { } data)
        {
            _expressions.Dynset(dynset, 0, null);
            return;
        }

        var slot = NftRegister.NextLong(NftRegister.SlotsOf(NftDataTypes.ByteLength(dynset.Key.TypesOf().AsSpan())) - 1);
        Load(data, slot);
        _expressions.Dynset(dynset, 0, slot);
    }

    /// <summary>Puts the value of an expression into the registers from <paramref name="slot"/> on.</summary>
    private void Load(NftExpression expression, int slot)
    {
        switch (expression)
        {
            case NftPayload payload:
                var layout = NftFields.Layout(payload.Field);
                _expressions.Payload(slot, layout.Base, layout.Offset, layout.Length);
                break;
            case NftMeta meta: _expressions.Meta(slot, meta.Key); break;
            case NftCt ct: _expressions.Ct(slot, ct.Key); break;
            case NftCtOriginal original: _expressions.CtOriginalAddress(slot, NftFields.CtKeyOf(original.Field)); break;
            case NftJhash hash: Jhash(hash, slot); break;
            case NftFibAddrType fib: _expressions.FibAddressTypeOf(slot, fib.Address); break;
            case NftNumgen numgen: _expressions.Numgen(slot, numgen); break;
            case NftConstant constant: _expressions.Immediate(slot, constant.Value.Span); break;
            case NftConcat concat: LoadParts(concat, slot); break;
            case NftMapLookup lookup:
                Load(lookup.Key, slot);
                _expressions.Lookup(slot, new NftSetReference(lookup.Map), NftRegister.Number(slot), inverted: false);
                break;
            case NftAnonymousMapLookup lookup:
                Load(lookup.Key, slot);
                _expressions.Lookup(slot, anonymous.Dequeue(), NftRegister.Number(slot), inverted: false);
                break;
            case NftBitwise bitwise:
                Load(bitwise.Value, slot);
                _expressions.Bitwise(slot, bitwise.Mask, bitwise.Xor);
                break;
            default:
                throw new ArgumentException($"{expression} cannot be encoded.", nameof(expression));
        }
    }

    // As nft does it: what is hashed has a register of its own.
    private void Jhash(NftJhash hash, int slot)
    {
        var source = NftRegister.NextLong(slot);
        Load(hash.Value, source);
        _expressions.Jhash(slot, source, NftDataTypes.ByteLength(hash.Value.TypesOf().AsSpan()), hash);
    }

    private void LoadParts(NftConcat concat, int slot)
    {
        foreach (var part in concat.Parts)
        {
            Load(part, slot);
            slot += NftRegister.SlotsOf(part.TypesOf()[0].ByteLength());
        }
    }
}
