namespace KubeProxy.Core.Model;

/// <summary>An inclusive range of addresses of one family.</summary>
/// <param name="First">The lowest address.</param>
/// <param name="Last">The highest address.</param>
public readonly record struct IpRange(IpAddr First, IpAddr Last)
{
    /// <summary>The range of a CIDR block.</summary>
    public static IpRange From(Cidr cidr) => new(cidr.First, cidr.Last);

    /// <summary>Whether the range holds the address.</summary>
    public bool Contains(IpAddr address) => address.Family == First.Family && First <= address && address <= Last;

    /// <summary><c>first-last</c>.</summary>
    public override string ToString() => $"{First}-{Last}";
}
