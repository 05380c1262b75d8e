using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace KubeProxy.Core.Model;

/// <summary>An address block in CIDR notation (RFC 4632, RFC 4291). Host bits are cleared.</summary>
public readonly record struct Cidr
{
    /// <summary>Makes a block; bits of <paramref name="address"/> beyond the prefix are cleared.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The prefix length does not fit the family.</exception>
    public Cidr(IpAddr address, int prefixLength)
    {
        var bits = address.Length * 8;
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, bits);
        First = IpAddr.FromValue(address.Family, address.Value & ~HostMask(bits, prefixLength));
        PrefixLength = prefixLength;
    }

    /// <summary>The lowest address of the block, the network address.</summary>
    public IpAddr First { get; }

    /// <summary>The length of the prefix in bits: 0 to 32 or 0 to 128.</summary>
    public int PrefixLength { get; }

    /// <summary>The highest address of the block.</summary>
    public IpAddr Last => IpAddr.FromValue(Family, First.Value | HostMask(First.Length * 8, PrefixLength));

    /// <summary>The family of the block.</summary>
    public IpFamily Family => First.Family;

    /// <summary>Whether the block holds the address.</summary>
    public bool Contains(IpAddr address) => address.Family == Family && First <= address && address <= Last;

    /// <summary>The block of one address.</summary>
    public static Cidr Single(IpAddr address) => new(address, address.Length * 8);

    /// <summary>Parses <c>address/prefix</c>. The address is read as by <see cref="IpAddr.TryParse"/>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Cidr cidr)
    {
        cidr = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || !IpAddr.TryParse(text![..slash], out var address)) return false;
        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)) return false;
        if (prefix > address.Length * 8) return false;
        cidr = new Cidr(address, prefix);
        return true;
    }

    /// <summary>Parses a block; see <see cref="TryParse"/>.</summary>
    /// <exception cref="FormatException">The text is not a CIDR block.</exception>
    public static Cidr Parse(string text) =>
        TryParse(text, out var cidr) ? cidr : throw new FormatException($"'{text}' is not a CIDR block.");

    /// <summary>The text form, for example <c>10.96.0.0/12</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}/{PrefixLength}");

    private static UInt128 HostMask(int bits, int prefixLength) =>
        prefixLength == bits ? UInt128.Zero : (UInt128.MaxValue >> (128 - (bits - prefixLength)));
}
