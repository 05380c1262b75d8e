using System.Numerics;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Numbers of any length in network order.</summary>
internal static class NftBits
{
    /// <summary>Where the ones of a mask begin (from the highest bit on) and how many they are; null when they are not together.</summary>
    public static (int Start, int Count)? Run(ReadOnlySpan<byte> mask)
    {
        var (start, count) = (-1, 0);
        for (var i = 0; i < mask.Length * 8; i++)
        {
            if ((mask[i / 8] >> (7 - (i % 8)) & 1) == 0) continue;
            if (start < 0) start = i;
            if (i != start + count) return null;
            count++;
        }

        return count == 0 ? null : (start, count);
    }

    /// <summary>A mask of that many ones with that many zeros below.</summary>
    public static NftData Mask(int bytes, int count, int below) => Number(((BigInteger.One << count) - 1) << below, bytes);

    public static NftData ShiftRight(in NftData value, int bits, int bytes) => Number(Read(value.Span) >> bits, bytes);

    public static NftData ShiftLeft(in NftData value, int bits, int bytes) => Number(Read(value.Span) << bits, bytes);

    /// <summary>The bytes the other way round.</summary>
    public static NftData Swap(in NftData value)
    {
        Span<byte> bytes = stackalloc byte[value.Length];
        value.Span.CopyTo(bytes);
        bytes.Reverse();
        return new NftData(bytes);
    }

    private static BigInteger Read(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static NftData Number(BigInteger number, int bytes)
    {
        Span<byte> all = stackalloc byte[NftData.MaxLength + 1];
        all.Clear();
        Span<byte> raw = stackalloc byte[NftData.MaxLength * 2];
        if (!number.TryWriteBytes(raw, out var written, isUnsigned: true, isBigEndian: true)) return default;
        raw = raw[..written];
        if (raw.Length > bytes) raw = raw[^bytes..];
        raw.CopyTo(all[(bytes - raw.Length)..]);
        return new NftData(all[..bytes]);
    }
}
