using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Core.Model;

/// <summary>
/// An IPv4 or IPv6 address as a 16-byte value without an allocation. IPv4 is held in its IPv4-mapped form
/// (RFC 4291 section 2.5.5.2), so an IPv4-mapped IPv6 address and the IPv4 address are the same value.
/// </summary>
public readonly record struct IpAddr : IComparable<IpAddr>
{
    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    private readonly ulong _high;
    private readonly ulong _low;

    private IpAddr(ulong high, ulong low) => (_high, _low) = (high, low);

    /// <summary>The family of the address.</summary>
    public IpFamily Family => _high == 0 && (_low & 0xFFFF_FFFF_0000_0000) == MappedPrefix ? IpFamily.IPv4 : IpFamily.IPv6;

    /// <summary>The length of the address in bytes: 4 or 16.</summary>
    public int Length => Family == IpFamily.IPv4 ? 4 : 16;

    /// <summary>The address as an unsigned number: 32 significant bits for IPv4, 128 for IPv6.</summary>
    public UInt128 Value => Family == IpFamily.IPv4 ? (uint)_low : new UInt128(_high, _low);

    /// <summary>Whether it is in 127.0.0.0/8 or is ::1 (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).</summary>
    public bool IsLoopback => Family == IpFamily.IPv4 ? Value >> 24 == 127 : Value == UInt128.One;

    /// <summary>Whether it is in 169.254.0.0/16 or fe80::/10: valid on one link only (RFC 3927, RFC 4291 section 2.5.6).</summary>
    public bool IsLinkLocal => Family == IpFamily.IPv4 ? Value >> 16 == 0xA9FE : Value >> 118 == 0xFE80 >> 6;

    /// <summary>Makes an address from a number; see <see cref="Value"/>.</summary>
    public static IpAddr FromValue(IpFamily family, UInt128 value) => family == IpFamily.IPv4
        ? new IpAddr(0, MappedPrefix | (uint)value)
        : new IpAddr((ulong)(value >> 64), (ulong)value);

    /// <summary>Makes an address from 4 or 16 bytes in network order.</summary>
    /// <exception cref="ArgumentException">The length is neither 4 nor 16.</exception>
    public static IpAddr FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        4 => new IpAddr(0, MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes)),
        16 => new IpAddr(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])),
        _ => throw new ArgumentException($"An IP address has 4 or 16 bytes, not {bytes.Length}.", nameof(bytes)),
    };

    /// <summary>Writes the address in network order: <see cref="Length"/> bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public void WriteBytes(Span<byte> destination)
    {
        if (Family == IpFamily.IPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
            return;
        }

        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>Converts from the BCL type; a scope id is dropped.</summary>
    public static IpAddr From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return FromBytes(bytes[..length]);
    }

    /// <summary>Converts to the BCL type.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteBytes(bytes);
        return new IPAddress(bytes[..Length]);
    }

    /// <summary>
    /// Parses an address as Kubernetes does: dotted decimal IPv4 whose octets may have leading zeros (still decimal),
    /// or RFC 4291 IPv6 without a zone.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out IpAddr address)
    {
        address = default;
        if (string.IsNullOrEmpty(text)) return false;
        if (!text.Contains(':')) return TryParseIPv4(text, out address);
        if (text.AsSpan().ContainsAny("%[]/")) return false;
        if (!IPAddress.TryParse(text, out var parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6) return false;
        address = From(parsed);
        return true;
    }

    /// <summary>Parses an address; see <see cref="TryParse"/>.</summary>
    /// <exception cref="FormatException">The text is not an IP address.</exception>
    public static IpAddr Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an IP address.");

    /// <inheritdoc/>
    public int CompareTo(IpAddr other)
    {
        var high = _high.CompareTo(other._high);
        return high != 0 ? high : _low.CompareTo(other._low);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low);

    /// <summary>The canonical text form (RFC 5952 for IPv6).</summary>
    public override string ToString() => Family == IpFamily.IPv4
        ? string.Create(CultureInfo.InvariantCulture, $"{(byte)(_low >> 24)}.{(byte)(_low >> 16)}.{(byte)(_low >> 8)}.{(byte)_low}")
        : ToIPAddress().ToString();

    /// <summary>Orders addresses numerically, IPv4 by its mapped form.</summary>
    public static bool operator <(IpAddr left, IpAddr right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(IpAddr left, IpAddr right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(IpAddr left, IpAddr right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(IpAddr left, IpAddr right) => left.CompareTo(right) >= 0;

    private static bool TryParseIPv4(string text, out IpAddr address)
    {
        address = default;
        uint value = 0;
        var octets = 0;
        foreach (var range in text.AsSpan().Split('.'))
        {
            var octet = text.AsSpan()[range];
            if (++octets > 4 || octet.IsEmpty || octet.ContainsAnyExceptInRange('0', '9')) return false;
            if (!uint.TryParse(octet, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 255) return false;
            value = (value << 8) | number;
        }

        if (octets != 4) return false;
        address = new IpAddr(0, MappedPrefix | value);
        return true;
    }
}
