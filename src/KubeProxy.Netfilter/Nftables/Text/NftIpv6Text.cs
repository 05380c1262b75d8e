using System.Buffers.Binary;
using System.Globalization;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>IPv6 addresses as the C library prints them: RFC 5952, and the last part of v4-mapped and v4-compatible ones as IPv4.</summary>
internal static class NftIpv6Text
{
    private const int Words = 8;

    public static string Of(ReadOnlySpan<byte> address)
    {
        Span<ushort> words = stackalloc ushort[Words];
        for (var i = 0; i < Words; i++) words[i] = BinaryPrimitives.ReadUInt16BigEndian(address[(i * 2)..]);
        var (start, length) = LongestZeros(words);
        var hasIpv4 = start == 0 && (length == 6 || (length == 5 && words[5] == 0xFFFF));
        var end = hasIpv4 ? 6 : Words;
        var text = "";
        for (var i = 0; i < end; i++)
        {
            if (i == start)
            {
                text += i == 0 ? "::" : ":";
                i += Math.Min(length, end - i) - 1;
            }
            else
            {
                text += words[i].ToString("x", CultureInfo.InvariantCulture) + (i < Words - 1 ? ":" : "");
            }
        }

        return hasIpv4 ? $"{text}{address[12]}.{address[13]}.{address[14]}.{address[15]}" : text;
    }

    private static (int Start, int Length) LongestZeros(ReadOnlySpan<ushort> words)
    {
        var (best, length) = (-1, 1);
        for (var i = 0; i < Words; i++)
        {
            var end = i;
            while (end < Words && words[end] == 0) end++;
            if (end - i > length) (best, length) = (i, end - i);
        }

        return best < 0 ? (-1, 0) : (best, length);
    }
}
