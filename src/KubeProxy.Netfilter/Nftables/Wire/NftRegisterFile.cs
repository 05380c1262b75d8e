using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>The registers while a rule is being read.</summary>
internal sealed class NftRegisterFile
{
    private readonly NftLoaded?[] _slots = new NftLoaded?[NftRegister.Slots];

    public NftLoaded? this[uint? register] => register is { } number && NftRegister.Slot(number) is { } slot ? _slots[slot] : null;

    /// <summary>False when there is no such register.</summary>
    public bool Load(uint? register, NftLoaded? value)
    {
        if (value is null || register is not { } number || NftRegister.Slot(number) is not { } slot) return false;
        for (var i = slot; i < Math.Min(slot + NftRegister.SlotsOf(value.Length), NftRegister.Slots); i++) _slots[i] = null;
        _slots[slot] = value;
        return true;
    }

    public void Clear() => Array.Clear(_slots);

    /// <summary>The expression, or the concatenation of expressions, that fills that many bytes; null when there is none.</summary>
    public NftExpression? Gather(uint? register, ImmutableArray<NftDataType> types)
    {
        if (register is not { } number || NftRegister.Slot(number) is not { } slot) return null;
        if (types.Length == 1) return Fits(_slots[slot]?.Expression, types[0]);
        var parts = ImmutableArray.CreateBuilder<NftExpression>(types.Length);
        foreach (var type in types)
        {
            if (slot >= NftRegister.Slots || Fits(_slots[slot]?.Expression, type) is not { } part) return null;
            parts.Add(part);
            slot += NftRegister.SlotsOf(type.ByteLength());
        }

        return new NftConcat(parts.MoveToImmutable());
    }

    /// <summary>The expression, or the concatenation of expressions, that takes up that many bytes; null when there is none.</summary>
    public NftExpression? Gather(uint? register, int length)
    {
        if (register is not { } number || NftRegister.Slot(number) is not { } slot) return null;
        var parts = ImmutableArray.CreateBuilder<NftExpression>();
        while (length > 0)
        {
            if (slot >= NftRegister.Slots || _slots[slot] is not { Expression: { } part } loaded) return null;
            parts.Add(part);
            slot += NftRegister.SlotsOf(loaded.Length);
            length -= NftDataTypes.Padded(loaded.Length);
        }

        return length < 0 && parts.Count != 1 ? null : parts.Count switch { 0 => null, 1 => parts[0], _ => new NftConcat(parts.DrainToImmutable()) };
    }

    /// <summary>The expression when it can be a key of that type: nft lets numbers and marks stand for each other.</summary>
    private static NftExpression? Fits(NftExpression? expression, NftDataType type)
    {
        if (expression is null || NftDataTypes.TryByteLength(type) is not { } length) return null;
        return expression.TypesOf() switch
        {
            [] => expression,
            [var own] when own.ByteLength() == length => expression,
            _ => null,
        };
    }
}
