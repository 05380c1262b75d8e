using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Constants as nft prints them.</summary>
internal static class NftValueText
{
    /// <summary>A value of one type.</summary>
    public static string Value(NftDataType type, ReadOnlySpan<byte> bytes) => Value(NftFormat.Of(type), bytes);

    /// <param name="format">What it is.</param>
    /// <param name="bytes">The value.</param>
    /// <param name="isNumeric">Without names: as in ranges.</param>
    public static string Value(NftFormat format, ReadOnlySpan<byte> bytes, bool isNumeric = false)
    {
        if (format.Bytes == 0 || bytes.Length < format.Bytes) return "0x" + Convert.ToHexStringLower(bytes);
        bytes = bytes[..format.Bytes];
        switch (format.Type)
        {
            case NftDataType.Ipv4Addr when bytes.Length == 4: return IpAddr.FromBytes(bytes).ToString();
            case NftDataType.Ipv6Addr when bytes.Length == 16: return NftIpv6Text.Of(bytes);
            case NftDataType.EtherAddr or NftDataType.LlAddr: return string.Join(':', bytes.ToArray().Select(part => part.ToString("x2", CultureInfo.InvariantCulture)));
            case NftDataType.Ifname or NftDataType.String: return Text(bytes);
            case NftDataType.CtLabel: return Label(Number(format, bytes));
        }

        var number = Number(format, bytes);
        if (format.Type.IsBits() && number <= uint.MaxValue && BitOperations.PopCount((uint)number) > 1) return string.Join(" | ", Bits(format.Type, (ulong)number));
        if (format.Type == NftDataType.Bitmask) return "0x" + Hexadecimal(number);
        return number <= ulong.MaxValue ? Number(format, (ulong)number, isNumeric) : number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A value of several types, the parts joined with dots.</summary>
    public static string Value(ImmutableArray<NftFormat> formats, ReadOnlySpan<byte> bytes)
    {
        if (formats.Length == 1) return Value(formats[0], bytes);
        var parts = new string[formats.Length];
        for (var i = 0; i < parts.Length; i++) parts[i] = Value(formats[i], NextPart(formats[i], ref bytes));
        return string.Join(" . ", parts);
    }

    /// <summary>A range: one value, a prefix, or two values; of a concatenation, part by part.</summary>
    public static string Range(ImmutableArray<NftFormat> formats, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        if (formats.Length == 1) return Range(formats[0], first, last);
        var parts = new string[formats.Length];
        for (var i = 0; i < parts.Length; i++) parts[i] = Range(formats[i], NextPart(formats[i], ref first), NextPart(formats[i], ref last));
        return string.Join(" . ", parts);
    }

    public static string Range(NftFormat format, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        if (first.SequenceEqual(last)) return Value(format, first);
        if (format.Type is NftDataType.Ipv4Addr or NftDataType.Ipv6Addr or NftDataType.Mark or NftDataType.Realm && !format.IsSwapped && first.Length == last.Length && PrefixLength(first, last) is { } prefix)
            return $"{Value(format, first)}/{Decimal((uint)prefix)}";
        if (format.Type == NftDataType.Ifname && Wildcard(first, last) is { } wildcard) return wildcard;
        return $"{Value(format, first, isNumeric: true)}-{Value(format, last, isNumeric: true)}";
    }

    /// <summary>Bits that are set, one by one, by name where the type has names.</summary>
    public static IReadOnlyList<string> Bits(NftDataType type, ulong bits) => NftSymbols.Bits(type, bits) ?? [Number(NftFormat.Of(type), bits, false)];

    /// <summary>The number that the bytes are.</summary>
    public static BigInteger Number(NftFormat format, ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: !format.IsSwapped);

    /// <summary>A number of that type.</summary>
    public static string Number(NftFormat format, ulong number, bool isNumeric)
    {
        switch (format.Type)
        {
            case NftDataType.Time: return isNumeric ? Decimal(number / 1000) + "s" : Time(TimeSpan.FromMilliseconds(number));
            case NftDataType.Date: return Quoted(Instant(number / 1_000_000_000).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
            case NftDataType.Hour: return Hour(number);
            case NftDataType.ClassId: return number switch { 0 => "none", uint.MaxValue => "root", _ => string.Create(CultureInfo.InvariantCulture, $"{number >> 16:x}:{number & 0xFFFF:x}") };
            case NftDataType.IfIndex when number == 1: return Quoted("lo"); // the first interface of every namespace
        }

        if (!isNumeric && NftSymbols.Find(format.Type, number) is { } name) return name;
        return format.Type switch
        {
            NftDataType.Mark => $"0x{number:x8}",
            NftDataType.EtherType => $"0x{number:x4}",
            NftDataType.Dscp => $"0x{number:x2}",
            NftDataType.Ecn or NftDataType.Bitmask or NftDataType.TcpFlag or NftDataType.CtState or NftDataType.CtStatus or NftDataType.CtEvent => $"0x{number:x}",
            _ => Decimal(number),
        };
    }

    public static string Decimal(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Quoted(string text) => $"\"{text}\"";

    /// <summary>A name; an asterisk at its end is no wildcard.</summary>
    public static string Text(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes[..Terminated(bytes)]);
        return Quoted(text.EndsWith('*') ? text[..^1] + "\\*" : text);
    }

    /// <summary>A time span as nft prints it, for example <c>3h</c> or <c>1m30s</c>.</summary>
    public static string Time(TimeSpan time)
    {
        if (time <= TimeSpan.Zero) return "0s";
        var text = new StringBuilder();
        Append(time.Days, "d");
        Append(time.Hours, "h");
        Append(time.Minutes, "m");
        Append(time.Seconds, "s");
        Append(time.Milliseconds, "ms");
        return text.ToString();

        void Append(int number, string unit)
        {
            if (number != 0) text.Append(CultureInfo.InvariantCulture, $"{number}{unit}");
        }
    }

    /// <summary>Bytes in the largest unit that leaves a whole number: <c>1 kbytes</c>.</summary>
    public static string Size(ulong bytes)
    {
        string[] units = ["bytes", "kbytes", "mbytes"];
        var unit = 0;
        while (bytes != 0 && unit < units.Length - 1 && bytes % 1024 == 0)
        {
            bytes /= 1024;
            unit++;
        }

        return $"{Decimal(bytes)} {units[unit]}";
    }

    public static string Hexadecimal(BigInteger number) => number.IsZero ? "0" : number.ToString("x", CultureInfo.InvariantCulture).TrimStart('0');

    private static DateTimeOffset Instant(ulong seconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(seconds, 253_402_300_799)); // the end of 9999

    private static string Hour(ulong seconds)
    {
        seconds %= 86400;
        var text = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:d2}:{seconds / 60 % 60:d2}");
        return Quoted(seconds % 60 == 0 ? text : text + string.Create(CultureInfo.InvariantCulture, $":{seconds % 60:d2}"));
    }

    private static string Label(BigInteger bits) => bits.IsZero ? "18446744073709551615" : ((int)(bits & -bits).GetBitLength() - 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>All names that begin so.</summary>
    private static string? Wildcard(ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        var length = Terminated(first);
        if (length == 0 || first.Length != last.Length || !last.StartsWith(first[..length])) return null;
        return last[length..].IndexOfAnyExcept((byte)0xFF) < 0 && first[length..].IndexOfAnyExcept((byte)0) < 0
            ? Quoted(Encoding.UTF8.GetString(first[..length]) + "*") : null;
    }

    /// <summary>The length of the prefix when first to last is exactly one block.</summary>
    private static int? PrefixLength(ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        var bits = 0;
        while (bits < first.Length * 8 && Bit(first, bits) == Bit(last, bits)) bits++;
        for (var i = bits; i < first.Length * 8; i++)
            if (Bit(first, i) || !Bit(last, i))
                return null;
        return bits;
    }

    private static bool Bit(ReadOnlySpan<byte> bytes, int index) => (bytes[index / 8] >> (7 - (index % 8)) & 1) != 0;

    private static ReadOnlySpan<byte> NextPart(NftFormat format, ref ReadOnlySpan<byte> bytes)
    {
        var length = format.Bytes > 0 ? format.Bytes : bytes.Length;
        var part = bytes[..Math.Min(length, bytes.Length)];
        bytes = bytes[Math.Min(NftDataTypes.Padded(length), bytes.Length)..];
        return part;
    }

    private static int Terminated(ReadOnlySpan<byte> bytes) => bytes.IndexOf((byte)0) is var end and >= 0 ? end : bytes.Length;
}
