using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>Ranges of keys, which nf_tables orders as bytes.</summary>
internal static class NftIntervals
{
    /// <summary>The last value of an element of an interval set.</summary>
    public static NftData Last(in NftElement element) => element.KeyEnd.IsEmpty ? element.Key : element.KeyEnd;

    /// <summary>Whether the set's ranges are kept as pairs of boundaries (one key part) and not as a key and a key end.</summary>
    public static bool IsPaired(NftSet set) => set.Flags.HasFlag(NftSetFlags.Interval) && set.KeyType.Length == 1;

    /// <summary>Whether some part of <paramref name="last"/> is before that of <paramref name="first"/>.</summary>
    public static bool IsReversed(ImmutableArray<NftFormat> formats, in NftData first, in NftData last)
    {
        var offset = 0;
        foreach (var format in formats)
        {
            var part = new Range(offset, Math.Min(offset + format.Bytes, first.Length));
            if (first.Span[part].SequenceCompareTo(last.Span[part]) > 0) return true;
            offset += NftDataTypes.Padded(format.Bytes);
        }

        return false;
    }

    /// <summary>Whether the two ranges have a value in common.</summary>
    public static bool Overlap(ImmutableArray<NftFormat> formats, in NftElement a, in NftElement b)
    {
        if (a.IsCatchAll || b.IsCatchAll) return a.IsCatchAll && b.IsCatchAll;
        var (aLast, bLast) = (Last(a), Last(b));
        var offset = 0;
        foreach (var format in formats)
        {
            var part = new Range(offset, offset + format.Bytes);
            if (a.Key.Span[part].SequenceCompareTo(bLast.Span[part]) > 0) return false;
            if (b.Key.Span[part].SequenceCompareTo(aLast.Span[part]) > 0) return false;
            offset += NftDataTypes.Padded(format.Bytes);
        }

        return true;
    }

    /// <summary>Adds one to a number in network order; false when it was the largest.</summary>
    public static bool TryIncrement(Span<byte> number)
    {
        for (var i = number.Length - 1; i >= 0; i--)
            if (++number[i] != 0)
                return true;
        return false;
    }

    /// <summary>Takes one from a number in network order, which must not be zero.</summary>
    public static void Decrement(Span<byte> number)
    {
        for (var i = number.Length - 1; i >= 0; i--)
            if (number[i]-- != 0)
                return;
    }
}
