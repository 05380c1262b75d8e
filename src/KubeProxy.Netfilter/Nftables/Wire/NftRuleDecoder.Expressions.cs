using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Expressions that load registers.</summary>
internal sealed partial class NftRuleDecoder
{
    /// <summary>Whether the expression loaded a register with something known.</summary>
    private bool Load(string name, NlAttributes attributes) => name switch
    {
        "payload" => LoadPayload(attributes),
        "exthdr" => LoadExthdr(attributes),
        "meta" => LoadMeta(attributes),
        "ct" => LoadCt(attributes),
        "rt" => Number(attributes, RtAttribute.Key) is { } key && NftKeyTable.Has((NftRtKey)key)
            && LoadValue(Number(attributes, RtAttribute.DestinationRegister), new NftRt((NftRtKey)key)),
        "socket" => Number(attributes, SocketAttribute.Key) is { } key && NftKeyTable.Has((NftSocketKey)key)
            && LoadValue(Number(attributes, SocketAttribute.DestinationRegister), new NftSocket((NftSocketKey)key, Number(attributes, SocketAttribute.Level) ?? 0)),
        "osf" => LoadOsf(attributes),
        "xfrm" => LoadXfrm(attributes),
        "fib" => LoadFib(attributes),
        "numgen" => LoadNumgen(attributes),
        "hash" => LoadHash(attributes),
        "bitwise" => LoadBitwise(attributes),
        "byteorder" => LoadByteorder(attributes),
        "immediate" => LoadImmediate(attributes),
        "lookup" => LoadLookup(attributes),
        _ => false,
    };

    private bool LoadPayload(NlAttributes attributes)
    {
        if (Number(attributes, PayloadAttribute.Base) is not (<= (uint)NftPayloadBase.Inner and var @base)) return false;
        if (Number(attributes, PayloadAttribute.Offset) is not (<= ushort.MaxValue and var offset)) return false;
        if (Number(attributes, PayloadAttribute.Length) is not (> 0 and <= NftData.MaxLength and var length)) return false;
        return Registers.Load(Number(attributes, PayloadAttribute.DestinationRegister), new NftLoaded.Packet((NftPayloadBase)@base, (int)offset, (int)length));
    }

    private bool LoadExthdr(NlAttributes attributes)
    {
        if (Number(attributes, ExthdrAttribute.DestinationRegister) is not { } register || !attributes.TryFind(ExthdrAttribute.Type, out var type)) return false;
        var operation = Number(attributes, ExthdrAttribute.Operation) ?? 0;
        if (operation > (uint)NftExtensionKind.SctpChunk || (Number(attributes, ExthdrAttribute.Flags) ?? 0) is not ((0 or ExthdrPresent) and var flags)) return false;
        if (Number(attributes, ExthdrAttribute.Offset) is not (<= byte.MaxValue and var offset)) return false;
        if (Number(attributes, ExthdrAttribute.Length) is not (> 0 and <= NftData.MaxLength and var length)) return false;
        if (flags == ExthdrPresent && (offset != 0 || length != 1)) return false;
        return LoadValue(register, new NftExtension((NftExtensionKind)operation, type.U8(), (int)offset * 8, (int)length * 8, flags == ExthdrPresent));
    }

    private bool LoadMeta(NlAttributes attributes)
    {
        if (Number(attributes, MetaAttribute.Key) is not { } key || !NftKeyTable.Has((NftMetaKey)key)) return false;
        return LoadValue(Number(attributes, MetaAttribute.DestinationRegister), new NftMeta((NftMetaKey)key));
    }

    private bool LoadCt(NlAttributes attributes)
    {
        if (Number(attributes, CtAttribute.Key) is not { } key || !NftKeyTable.Has((NftCtKey)key)) return false;
        NftCtDirection? direction = null;
        if (attributes.TryFind(CtAttribute.Direction, out var found))
        {
            if (found.U8() > (byte)NftCtDirection.Reply) return false;
            direction = (NftCtDirection)found.U8();
        }

        return LoadValue(Number(attributes, CtAttribute.DestinationRegister), new NftCt((NftCtKey)key, direction));
    }

    private bool LoadOsf(NlAttributes attributes)
    {
        var ttl = attributes.TryFind(OsfAttribute.Ttl, out var found) ? found.U8() : (byte)0;
        if ((Number(attributes, OsfAttribute.Flags) ?? 0) is not ((0 or OsfVersion) and var flags)) return false;
        return LoadValue(Number(attributes, OsfAttribute.DestinationRegister), new NftOsf(ttl, flags == OsfVersion));
    }

    private bool LoadXfrm(NlAttributes attributes)
    {
        if (Number(attributes, XfrmAttribute.Key) is not { } key || !NftKeyTable.Has((NftIpsecKey)key)) return false;
        if (!attributes.TryFind(XfrmAttribute.Direction, out var direction) || direction.U8() > 1) return false;
        return LoadValue(
            Number(attributes, XfrmAttribute.DestinationRegister),
            new NftIpsec((NftIpsecKey)key, direction.U8() == 1, Number(attributes, XfrmAttribute.Number) ?? 0));
    }

    private bool LoadFib(NlAttributes attributes)
    {
        if (Number(attributes, FibAttribute.Result) is not (>= (uint)NftFibResult.Oif and <= (uint)NftFibResult.AddrType and var result)) return false;
        if (Number(attributes, FibAttribute.Flags) is not { } flags || flags >= (uint)NftFibFlags.Present * 2) return false;
        return LoadValue(Number(attributes, FibAttribute.DestinationRegister), new NftFib((NftFibResult)result, (NftFibFlags)flags));
    }

    private bool LoadNumgen(NlAttributes attributes)
    {
        if (Number(attributes, NumgenAttribute.Modulus) is not { } modulus) return false;
        if (Number(attributes, NumgenAttribute.Type) is not ((NumgenRandom or NumgenIncremental) and var type)) return false;
        return LoadValue(
            Number(attributes, NumgenAttribute.DestinationRegister),
            new NftNumgen(modulus, type == NumgenIncremental, Number(attributes, NumgenAttribute.Offset) ?? 0));
    }

    private bool LoadHash(NlAttributes attributes)
    {
        if (Number(attributes, HashAttribute.Modulus) is not (> 0 and var modulus)) return false;
        var offset = Number(attributes, HashAttribute.Offset) ?? 0;
        var destination = Number(attributes, HashAttribute.DestinationRegister);
        switch (Number(attributes, HashAttribute.Type) ?? HashJenkins)
        {
            case HashSymmetric: return LoadValue(destination, new NftSymhash(modulus, offset));
            case HashJenkins:
                if (Number(attributes, HashAttribute.Length) is not (<= NftData.MaxLength and var length)) return false;
                if (Registers.Gather(Number(attributes, HashAttribute.SourceRegister), (int)length) is not { } value) return false;
                return LoadValue(destination, new NftJhash(value, modulus, Number(attributes, HashAttribute.Seed), offset));
            default: return false;
        }
    }

    private bool LoadBitwise(NlAttributes attributes)
    {
        if (Registers[Number(attributes, BitwiseAttribute.SourceRegister)] is not { } inner) return false;
        var destination = Number(attributes, BitwiseAttribute.DestinationRegister);
        if ((Number(attributes, BitwiseAttribute.Length) ?? (uint)inner.Length) != inner.Length) return false;
        switch (Number(attributes, BitwiseAttribute.Operation) ?? BitwiseMaskXor)
        {
            case BitwiseMaskXor:
                if (!attributes.TryFind(BitwiseAttribute.Mask, out var mask) || !attributes.TryFind(BitwiseAttribute.Xor, out var xor)) return false;
                var (maskValue, xorValue) = (NftDataCodec.ReadValue(mask), NftDataCodec.ReadValue(xor));
                return inner.Length == maskValue.Length && inner.Length == xorValue.Length && Registers.Load(destination, new NftLoaded.Masked(inner, maskValue, xorValue));
            case (BitwiseLeft or BitwiseRight) and var operation:
                if (!attributes.TryFind(BitwiseAttribute.Data, out var data) || NftDataCodec.ReadValue(data) is not { Length: 4 } bits) return false;
                return Registers.Load(destination, new NftLoaded.Shifted(inner, operation == BitwiseLeft, System.Runtime.InteropServices.MemoryMarshal.Read<uint>(bits.Span)));
            default: return false;
        }
    }

    private bool LoadByteorder(NlAttributes attributes)
    {
        if (Registers[Number(attributes, ByteorderAttribute.SourceRegister)] is not { } inner || Number(attributes, ByteorderAttribute.Operation) != ByteorderHton) return false;
        if (Number(attributes, ByteorderAttribute.Length) != inner.Length || Number(attributes, ByteorderAttribute.Size) != inner.Length) return false;
        return Registers.Load(Number(attributes, ByteorderAttribute.DestinationRegister), new NftLoaded.Swapped(inner));
    }

    private bool LoadImmediate(NlAttributes attributes)
    {
        var register = Number(attributes, ImmediateAttribute.DestinationRegister);
        if (register == NftRegister.Verdict || !attributes.TryFind(ImmediateAttribute.Data, out var data)) return false;
        return Registers.Load(register, new NftLoaded.Constant(NftDataCodec.ReadValue(data)));
    }

    /// <summary>A lookup that yields data.</summary>
    private bool LoadLookup(NlAttributes attributes)
    {
        if (Number(attributes, LookupAttribute.DestinationRegister) is not { } register || register == NftRegister.Verdict) return false;
        if (LookedUp(attributes) is not { Set: { Kind: NftSetKind.Map } set } found) return false;
        NftExpression lookup = found.Elements is { } elements
            ? new NftAnonymousMapLookup(found.Key, NftTypes.OfData(set), elements)
            : new NftMapLookup(found.Key, set.Key.Name);
        return Registers.Load(register, new NftLoaded.Value(lookup, set.DataLength));
    }

    /// <summary>The set, the key, and for an anonymous set the elements of a lookup.</summary>
    private Lookup? LookedUp(NlAttributes attributes) =>
        attributes.TryFind(LookupAttribute.Set, out var name) && sets.TryGetValue(name.Text(), out var set)
            ? LookedUp(set, Number(attributes, LookupAttribute.SourceRegister)) : null;

    private Lookup? LookedUp(NftSet set, uint? register)
    {
        var elements = anonymous.GetValueOrDefault(set.Key.Name);
        // Of fields of less than whole bytes nft compares what is in place: the elements are shifted instead.
        if (elements is not null && Registers[register] is NftLoaded.Masked masked && masked.Length == set.KeyLength
            && NftRaise.Part(masked, _context) is ({ } part, var below))
            return new Lookup(set, part, elements.WithKeys(key => NftBits.ShiftRight(key, below, part.FormatsOf()[0].Bytes)));
        return Registers.Gather(register, set.KeyLength) is { } whole ? new Lookup(set, whole, elements) : null;
    }

    private sealed record Lookup(NftSet Set, NftExpression Key, NftElements? Elements);

    private bool LoadValue(uint? register, NftExpression expression) =>
        Registers.Load(register, new NftLoaded.Value(expression, expression.FormatsOf()[0].Bytes));

    private static uint? Number<TAttribute>(NlAttributes attributes, TAttribute type) where TAttribute : unmanaged, Enum =>
        attributes.TryFind(type, out var attribute) ? attribute.U32BigEndian() : null;
}
