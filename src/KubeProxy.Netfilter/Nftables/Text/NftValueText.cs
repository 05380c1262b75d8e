using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Constants as nft prints them.</summary>
internal static class NftValueText
{
    private static readonly (uint Bit, string Name)[] StateNames =
        [(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")];

    private static readonly (uint Bit, string Name)[] StatusNames =
    [
        (0x1, "expected"), (0x2, "seen-reply"), (0x4, "assured"), (0x8, "confirmed"), (0x10, "snat"), (0x20, "dnat"),
        (0x200, "dying"),
    ];

    /// <summary>A value of one type.</summary>
    public static string Value(NftDataType type, ReadOnlySpan<byte> bytes)
    {
        if (NftDataTypes.TryByteLength(type) is not { } length || bytes.Length < length)
            return "0x" + Convert.ToHexStringLower(bytes);
        bytes = bytes[..length];
        return type switch
        {
            NftDataType.Ipv4Addr => IpAddr.FromBytes(bytes).ToString(),
            NftDataType.Ipv6Addr => new System.Net.IPAddress(bytes).ToString(),
            NftDataType.EtherAddr => string.Join(':', bytes.ToArray().Select(part => part.ToString("x2", CultureInfo.InvariantCulture))),
            NftDataType.InetProto => ProtocolName(bytes[0]),
            NftDataType.NfProto => bytes[0] switch { 2 => "ipv4", 10 => "ipv6", var other => Decimal(other) },
            NftDataType.CtDir => bytes[0] switch { 0 => "original", 1 => "reply", var other => Decimal(other) },
            NftDataType.InetService => Decimal(BinaryPrimitives.ReadUInt16BigEndian(bytes)),
            NftDataType.Ifname => Quoted(Encoding.UTF8.GetString(bytes[..Terminated(bytes)])),
            _ => HostOrder(type, MemoryMarshal.Read<uint>(bytes)),
        };
    }

    /// <summary>A value of several types, the parts joined with dots.</summary>
    public static string Value(ImmutableArray<NftDataType> types, ReadOnlySpan<byte> bytes)
    {
        if (types.Length == 1) return Value(types[0], bytes);
        var parts = new string[types.Length];
        for (var i = 0; i < types.Length; i++) parts[i] = Value(types[i], NextPart(types[i], ref bytes));
        return string.Join(" . ", parts);
    }

    /// <summary>A range: one value, a prefix, or two values; of a concatenation, part by part.</summary>
    public static string Range(ImmutableArray<NftDataType> types, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        if (types.Length == 1) return Range(types[0], first, last);
        var parts = new string[types.Length];
        for (var i = 0; i < types.Length; i++)
            parts[i] = Range(types[i], NextPart(types[i], ref first), NextPart(types[i], ref last));
        return string.Join(" . ", parts);
    }

    /// <summary>Bits that are set, by name where the type has names.</summary>
    public static string Bits(NftDataType type, uint bits) => type switch
    {
        NftDataType.CtState when Names(StateNames, bits) is { } names => names,
        NftDataType.CtStatus when Names(StatusNames, bits) is { } names => names,
        _ => Hex(bits),
    };

    public static string Hex(uint value) => string.Create(CultureInfo.InvariantCulture, $"0x{value:x8}");

    public static string Decimal(uint value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Quoted(string text) => $"\"{text}\"";

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

    private static string Range(NftDataType type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        if (first.SequenceEqual(last)) return Value(type, first);
        if (type is NftDataType.Ipv4Addr or NftDataType.Ipv6Addr && first.Length == last.Length && PrefixLength(first, last) is { } prefix)
            return $"{Value(type, first)}/{Decimal((uint)prefix)}";
        return $"{Value(type, first)}-{Value(type, last)}";
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

    private static ReadOnlySpan<byte> NextPart(NftDataType type, ref ReadOnlySpan<byte> bytes)
    {
        var length = NftDataTypes.TryByteLength(type) ?? bytes.Length;
        var part = bytes[..Math.Min(length, bytes.Length)];
        bytes = bytes[Math.Min(NftDataTypes.Padded(length), bytes.Length)..];
        return part;
    }

    private static string HostOrder(NftDataType type, uint value) => type switch
    {
        NftDataType.Integer => Decimal(value),
        NftDataType.FibAddrType => (NftAddrType)value switch
        {
            NftAddrType.Unicast => "unicast",
            NftAddrType.Local => "local",
            NftAddrType.Broadcast => "broadcast",
            NftAddrType.Multicast => "multicast",
            _ => Decimal(value),
        },
        _ => Bits(type, value),
    };

    private static string? Names((uint Bit, string Name)[] table, uint bits)
    {
        var known = table.Where(entry => (bits & entry.Bit) != 0).ToArray();
        return bits != 0 && known.Aggregate(0u, (sum, entry) => sum | entry.Bit) == bits
            ? string.Join(',', known.Select(entry => entry.Name))
            : null;
    }

    private static int Terminated(ReadOnlySpan<byte> bytes) => bytes.IndexOf((byte)0) is var end and >= 0 ? end : bytes.Length;

    private static string ProtocolName(byte protocol) => protocol switch
    {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        50 => "esp",
        51 => "ah",
        58 => "ipv6-icmp",
        132 => "sctp",
        136 => "udplite",
        _ => Decimal(protocol),
    };
}
