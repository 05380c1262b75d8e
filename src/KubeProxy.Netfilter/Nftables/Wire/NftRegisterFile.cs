using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>The registers while a rule is being read.</summary>
internal sealed class NftRegisterFile(NftPacketContext context)
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

    /// <summary>The expression, or the concatenation of expressions, that takes up that many bytes; null when there is none.</summary>
    /// <param name="register">The first register.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="types">What constants among the parts are; empty where there can be none.</param>
    public NftExpression? Gather(uint? register, int length, ImmutableArray<NftDataType> types = default)
    {
        if (register is not { } number || NftRegister.Slot(number) is not { } slot) return null;
        if (_slots[slot] is { } first && (first.Length == length || NftDataTypes.Padded(first.Length) == length)) return NftRaise.Expression(first, context);
        var parts = ImmutableArray.CreateBuilder<NftExpression>();
        while (length > 0)
        {
            if (slot >= NftRegister.Slots || _slots[slot] is not { } loaded || Part(loaded, types, parts.Count) is not { } part) return null;
            if (part is NftConcat) return null;
            parts.Add(part);
            slot += NftRegister.SlotsOf(loaded.Length);
            length -= NftDataTypes.Padded(loaded.Length);
        }

        return length < 0 || parts.Count < 2 ? null : new NftConcat(parts.DrainToImmutable());
    }

    private NftExpression? Part(NftLoaded loaded, ImmutableArray<NftDataType> types, int index) => loaded is NftLoaded.Constant constant
        ? !types.IsDefault && index < types.Length ? new NftConstant(types[index], constant.Data) : null
        : NftRaise.Expression(loaded, context);
}
