using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>
/// Blocks of addresses in rules of a family. An IPv4-mapped address is IPv4 for <see cref="IpAddr"/>, so that blocks of those are of IPv4
/// in rules of IPv6.
/// </summary>
internal static class XtAddresses
{
    private const int MappedBits = 96;

    /// <summary>The block of an address in network order, of 4 or 16 bytes.</summary>
    public static Cidr Block(ReadOnlySpan<byte> address, int prefixLength)
    {
        if (address.Length == 4) return new Cidr(IpAddr.FromBytes(address), prefixLength);
        var first = IpAddr.FromBytes(address);
        if (first.Family == IpFamily.IPv6) return new Cidr(first, prefixLength);
        if (prefixLength >= MappedBits) return new Cidr(first, prefixLength - MappedBits);
        // What is left of the prefix of mapped addresses is none of them.
        var value = ((UInt128)0xFFFF << 32 | first.Value) & ~(UInt128.MaxValue >> prefixLength);
        return new Cidr(IpAddr.FromValue(IpFamily.IPv6, value), prefixLength);
    }

    /// <summary>The length of the prefix in the addresses of the family.</summary>
    public static int PrefixLength(Cidr block, IpFamily family) => block.PrefixLength + (IsMapped(block.First, family) ? MappedBits : 0);

    /// <summary>As inet_ntop prints it in a rule of the family.</summary>
    public static string Text(IpAddr address, IpFamily family) => IsMapped(address, family) ? $"::ffff:{address}" : address.ToString();

    /// <summary>With the length of the prefix.</summary>
    public static string Text(Cidr block, IpFamily family) => $"{Text(block.First, family)}/{PrefixLength(block, family)}";

    /// <summary>With the length of the prefix where it is not all of the address.</summary>
    public static string Short(Cidr block, IpFamily family) =>
        PrefixLength(block, family) == (family == IpFamily.IPv4 ? 32 : 128) ? Text(block.First, family) : Text(block, family);

    private static bool IsMapped(IpAddr address, IpFamily family) => family == IpFamily.IPv6 && address.Family == IpFamily.IPv4;
}
