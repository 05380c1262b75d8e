using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Fields of extension structs, by their offset. Numbers are in the host's order unless the name says otherwise.</summary>
internal static class XtFields
{
    private const int AddressSize = 16; // union nf_inet_addr
    private static ReadOnlySpan<byte> MappedPrefix => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];

    public static ushort U16(this ReadOnlySpan<byte> info, int at) => MemoryMarshal.Read<ushort>(info[at..]);

    public static uint U32(this ReadOnlySpan<byte> info, int at) => MemoryMarshal.Read<uint>(info[at..]);

    public static ulong U64(this ReadOnlySpan<byte> info, int at) => MemoryMarshal.Read<ulong>(info[at..]);

    public static ushort Be16(this ReadOnlySpan<byte> info, int at) => BinaryPrimitives.ReadUInt16BigEndian(info[at..]);

    public static uint Be32(this ReadOnlySpan<byte> info, int at) => BinaryPrimitives.ReadUInt32BigEndian(info[at..]);

    /// <summary>An address in a <c>union nf_inet_addr</c>.</summary>
    public static IpAddr Address(this ReadOnlySpan<byte> info, int at, IpFamily family) => IpAddr.FromBytes(info.Slice(at, Length(family)));

    /// <summary>An address and the mask behind it; null when the mask is no prefix.</summary>
    public static Cidr? Block(this ReadOnlySpan<byte> info, int at, IpFamily family, int maskAt) =>
        Prefix(info, maskAt, family) is { } length ? XtAddresses.Block(info.Slice(at, Length(family)), length) : null;

    /// <summary>How many ones a mask begins with, when only zeros follow.</summary>
    public static int? Prefix(this ReadOnlySpan<byte> info, int at, IpFamily family)
    {
        var mask = info.Slice(at, Length(family));
        var ones = 0;
        while (ones < mask.Length * 8 && (mask[ones / 8] & (0x80 >> (ones % 8))) != 0) ones++;
        for (var bit = ones; bit < mask.Length * 8; bit++)
            if ((mask[bit / 8] & (0x80 >> (bit % 8))) != 0)
                return null;
        return ones;
    }

    /// <summary>A text that may be empty; null when it is not ended by a zero or is not UTF-8 that would be written the same.</summary>
    public static string? Text(this ReadOnlySpan<byte> info, int at, int size)
    {
        var field = info.Slice(at, size);
        return field[0] == 0 ? "" : XtText.Read(field);
    }

    public static void Put(this Span<byte> info, int at, ushort value) => MemoryMarshal.Write(info[at..], value);

    public static void Put(this Span<byte> info, int at, uint value) => MemoryMarshal.Write(info[at..], value);

    public static void Put(this Span<byte> info, int at, ulong value) => MemoryMarshal.Write(info[at..], value);

    public static void PutBe(this Span<byte> info, int at, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(info[at..], value);

    public static void PutBe(this Span<byte> info, int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(info[at..], value);

    public static void Put(this Span<byte> info, int at, bool value) => info[at] = value ? (byte)1 : (byte)0;

    /// <summary>A text in a field of a size.</summary>
    /// <exception cref="ArgumentException">Too long, or with a zero in it.</exception>
    public static void Put(this Span<byte> info, int at, int size, string text) => XtText.Write(info.Slice(at, size), text);

    /// <exception cref="ArgumentException">An IPv6 address in a rule of IPv4.</exception>
    public static void Put(this Span<byte> info, int at, IpAddr address, IpFamily family)
    {
        if (address.Family == IpFamily.IPv6 && family == IpFamily.IPv4) throw new ArgumentException($"{address} is no IPv4 address.", nameof(address));
        var field = info.Slice(at, AddressSize);
        if (address.Family != family)
        {
            MappedPrefix.CopyTo(field);
            field = field[MappedPrefix.Length..];
        }

        address.WriteBytes(field);
    }

    /// <summary>An address and its mask.</summary>
    /// <exception cref="ArgumentException">An IPv6 address in a rule of IPv4.</exception>
    public static void Put(this Span<byte> info, int at, Cidr block, IpFamily family, int maskAt)
    {
        info.Put(at, block.First, family);
        info.PutMask(maskAt, XtAddresses.PrefixLength(block, family), family);
    }

    /// <summary>A mask of that many ones. Of a whole IPv4 address iptables fills the other bytes too.</summary>
    public static void PutMask(this Span<byte> info, int at, int ones, IpFamily family)
    {
        if (family == IpFamily.IPv4 && ones == 32) ones = AddressSize * 8;
        for (var bit = 0; bit < ones; bit++) info[at + (bit / 8)] |= (byte)(0x80 >> (bit % 8));
    }

    private static int Length(IpFamily family) => family == IpFamily.IPv4 ? 4 : 16;
}
