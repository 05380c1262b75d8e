using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Expressions that load registers.</summary>
internal sealed partial class NftRuleDecoder
{
    /// <summary>Whether the expression loaded a register with something known.</summary>
    private bool Load(string? name, NlAttributes attributes) => name switch
    {
        "payload" => LoadPayload(attributes),
        "meta" => LoadMeta(attributes),
        "ct" => LoadCt(attributes),
        "fib" => LoadFib(attributes),
        "numgen" => LoadNumgen(attributes),
        "hash" => LoadHash(attributes),
        "socket" => LoadSocket(attributes),
        "bitwise" => LoadBitwise(attributes),
        "immediate" => LoadImmediate(attributes),
        "lookup" => LoadLookup(attributes),
        _ => false,
    };

    private bool LoadPayload(NlAttributes attributes)
    {
        if (Number(attributes, PayloadAttribute.Base) is not { } @base || Number(attributes, PayloadAttribute.Offset) is not { } offset
            || Number(attributes, PayloadAttribute.Length) is not (> 0 and <= NftData.MaxLength and var length)) return false;
        if (NftFields.Find(@base, offset, (int)length, _packetFamily) is not { } layout) return false;
        return _registers.Load(Number(attributes, PayloadAttribute.DestinationRegister), new NftLoaded.Field(layout, (int)length));
    }

    private bool LoadMeta(NlAttributes attributes)
    {
        if (Number(attributes, MetaAttribute.Key) is not { } key || !Enum.IsDefined((NftMetaKey)key)) return false;
        return LoadValue(Number(attributes, MetaAttribute.DestinationRegister), new NftMeta((NftMetaKey)key));
    }

    private bool LoadCt(NlAttributes attributes)
    {
        if (Number(attributes, CtAttribute.Key) is not { } key) return false;
        if (attributes.TryFind(CtAttribute.Direction, out var direction))
        {
            return direction.U8() == CtOriginal && NftFields.FindCtAddress(key) is { } address
                && LoadValue(Number(attributes, CtAttribute.DestinationRegister), new NftCtOriginal(address));
        }

        if (!Enum.IsDefined((NftCtKey)key)) return false;
        return LoadValue(Number(attributes, CtAttribute.DestinationRegister), new NftCt((NftCtKey)key));
    }

    private bool LoadFib(NlAttributes attributes)
    {
        if (Number(attributes, FibAttribute.Result) != FibAddressType) return false;
        NftFibAddress? address = Number(attributes, FibAttribute.Flags) switch
        {
            FibSource => NftFibAddress.Saddr,
            FibDestination => NftFibAddress.Daddr,
            _ => null,
        };
        return address is { } known && LoadValue(Number(attributes, FibAttribute.DestinationRegister), new NftFibAddrType(known));
    }

    private bool LoadNumgen(NlAttributes attributes)
    {
        if (Number(attributes, NumgenAttribute.Modulus) is not { } modulus || (Number(attributes, NumgenAttribute.Offset) ?? 0) != 0) return false;
        if (Number(attributes, NumgenAttribute.Type) is not ((NumgenRandom or NumgenIncremental) and var type)) return false;
        return LoadValue(Number(attributes, NumgenAttribute.DestinationRegister), new NftNumgen(modulus, type == NumgenIncremental));
    }

    private bool LoadHash(NlAttributes attributes)
    {
        if ((Number(attributes, HashAttribute.Type) ?? HashJenkins) != HashJenkins || (Number(attributes, HashAttribute.Offset) ?? 0) != 0) return false;
        if (Number(attributes, HashAttribute.Modulus) is not (> 0 and var modulus) || Number(attributes, HashAttribute.Length) is not (<= NftData.MaxLength and var length)) return false;
        if (!attributes.TryFind(HashAttribute.Seed, out _)) return false;
        if (_registers.Gather(Number(attributes, HashAttribute.SourceRegister), (int)length) is not { } value) return false;
        return LoadValue(Number(attributes, HashAttribute.DestinationRegister), new NftJhash(value, modulus, Number(attributes, HashAttribute.Seed)!.Value));
    }

    private bool LoadSocket(NlAttributes attributes) => Number(attributes, SocketAttribute.Key) == SocketTransparent
        && _registers.Load(Number(attributes, SocketAttribute.DestinationRegister), new NftLoaded.TransparentSocket());

    private bool LoadBitwise(NlAttributes attributes)
    {
        if ((Number(attributes, BitwiseAttribute.Operation) ?? 0) != BitwiseMaskXor) return false;
        if (!attributes.TryFind(BitwiseAttribute.Mask, out var mask) || !attributes.TryFind(BitwiseAttribute.Xor, out var xor)) return false;
        var (maskValue, xorValue) = (NftDataCodec.ReadValue(mask), NftDataCodec.ReadValue(xor));
        if (_registers[Number(attributes, BitwiseAttribute.SourceRegister)] is not ({ } inner and not NftLoaded.Masked)) return false;
        if (inner.Length != maskValue.Length || inner.Length != xorValue.Length) return false;
        return _registers.Load(
            Number(attributes, BitwiseAttribute.DestinationRegister),
            new NftLoaded.Masked(inner, [.. maskValue.Span], [.. xorValue.Span]));
    }

    private bool LoadImmediate(NlAttributes attributes)
    {
        var register = Number(attributes, ImmediateAttribute.DestinationRegister);
        if (register == NftRegister.Verdict || !attributes.TryFind(ImmediateAttribute.Data, out var data)) return false;
        return _registers.Load(register, new NftLoaded.Constant(NftDataCodec.ReadValue(data)));
    }

    /// <summary>A lookup that yields data.</summary>
    private bool LoadLookup(NlAttributes attributes)
    {
        if (Number(attributes, LookupAttribute.DestinationRegister) is not { } register || register == NftRegister.Verdict) return false;
        if (LookedUp(attributes) is not ({ } set, { } key) || set.Kind != NftSetKind.Map) return false;
        if (set.DataType.Any(type => NftDataTypes.TryByteLength(type) is null)) return false;
        NftExpression lookup = anonymous.TryGetValue(set.Key.Name, out var elements)
            ? new NftAnonymousMapLookup(key, new NftTypes(set.DataType), elements)
            : new NftMapLookup(key, set.Key.Name);
        return _registers.Load(register, new NftLoaded.Value(lookup, NftDataTypes.ByteLength(set.DataType.AsSpan())));
    }

    /// <summary>The set and the key of a lookup.</summary>
    private (NftSet? Set, NftExpression? Key) LookedUp(NlAttributes attributes)
    {
        if (!attributes.TryFind(LookupAttribute.Set, out var name) || !sets.TryGetValue(name.Text(), out var set)) return default;
        if (set.KeyType.Any(type => NftDataTypes.TryByteLength(type) is null)) return default;
        return (set, _registers.Gather(Number(attributes, LookupAttribute.SourceRegister), set.KeyType));
    }

    private bool LoadValue(uint? register, NftExpression expression) =>
        _registers.Load(register, new NftLoaded.Value(expression, expression.TypesOf()[0].ByteLength()));

    private static uint? Number<TAttribute>(NlAttributes attributes, TAttribute type) where TAttribute : unmanaged, Enum =>
        attributes.TryFind(type, out var attribute) ? attribute.U32BigEndian() : null;
}
