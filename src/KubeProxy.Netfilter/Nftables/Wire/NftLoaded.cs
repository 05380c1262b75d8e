using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>What the registers from one on hold while a rule is being read.</summary>
/// <param name="Length">How many bytes.</param>
internal abstract record NftLoaded(int Length)
{
    /// <summary>A whole expression.</summary>
    public sealed record Value(NftExpression Whole, int Length) : NftLoaded(Length);

    /// <summary>Bytes of the packet: a field, the beginning of one, or several.</summary>
    public sealed record Packet(NftPayloadBase Base, int Offset, int Length) : NftLoaded(Length);

    /// <summary>A constant.</summary>
    public sealed record Constant(NftData Data) : NftLoaded(Data.Length);

    /// <summary>Something under a mask.</summary>
    public sealed record Masked(NftLoaded Inner, NftData Mask, NftData Xor) : NftLoaded(Inner.Length)
    {
        /// <summary>Whether nothing is turned over.</summary>
        public bool IsMask => Xor.Span.IndexOfAnyExcept((byte)0) < 0;
    }

    /// <summary>Something shifted.</summary>
    public sealed record Shifted(NftLoaded Inner, bool IsLeft, uint Bits) : NftLoaded(Inner.Length);

    /// <summary>Something in network order that was in host order.</summary>
    public sealed record Swapped(NftLoaded Inner) : NftLoaded(Inner.Length);
}
