using System.Numerics;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The sizes of lists of endpoints, as powers of two. Frontends are sorted into sets by the size of their list and not by its exact
/// length, so that to add or remove an endpoint is to add or remove one element, except where a power of two is crossed.
/// </summary>
/// <param name="Exponent">From 0 (one endpoint) to <see cref="Largest"/>.</param>
internal readonly record struct SizeClass(int Exponent) : IComparable<SizeClass>
{
    /// <summary>1,048,576 endpoints: no frontend has more.</summary>
    public static SizeClass Largest { get; } = new(20);

    /// <summary>16 endpoints: the sizes up to this one have their chains and sets from the beginning.</summary>
    public static SizeClass Common { get; } = new(4);

    /// <summary>The most endpoints of this size.</summary>
    public int Slots => 1 << Exponent;

    /// <summary>The size below.</summary>
    public SizeClass Smaller => new(Exponent - 1);

    /// <summary>The smallest size with room for that many endpoints.</summary>
    /// <param name="count">1 or more; above the largest size, that one.</param>
    public static SizeClass Of(int count) => count > Largest.Slots ? Largest : new(BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)count)));

    /// <summary>All sizes up to this one.</summary>
    public IEnumerable<SizeClass> UpTo() => Enumerable.Range(0, Exponent + 1).Select(exponent => new SizeClass(exponent));

    /// <summary>All larger sizes, the largest first.</summary>
    public IEnumerable<SizeClass> Above()
    {
        for (var size = Largest; size.Exponent > Exponent; size = size.Smaller) yield return size;
    }

    public int CompareTo(SizeClass other) => Exponent.CompareTo(other.Exponent);
}
