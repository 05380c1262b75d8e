using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The sources that may use the load balancer IPs of a service port, as blocks for rules.</summary>
internal static class SourceBlocks
{
    /// <summary>The blocks as the plan has them; or, when it has none, the ranges cut into blocks.</summary>
    public static IEnumerable<Cidr> Of(ServicePortPlan plan, IReadOnlyList<Frontend> restricted) =>
        plan.SourceBlocks.IsEmpty ? restricted[0].AllowedSources.SelectMany(Cut) : plan.SourceBlocks;

    /// <summary>The fewest blocks that make up the range.</summary>
    public static IEnumerable<Cidr> Cut(IpRange range)
    {
        var bits = range.First.Length * 8;
        var (first, last) = (range.First.Value, range.Last.Value);
        while (true)
        {
            // As large as the alignment of the first address allows, and no larger than what is left.
            var size = first == 0 ? bits : Math.Min((int)UInt128.TrailingZeroCount(first), bits);
            while (size > 0 && LastOf(first, size) > last) size--;
            yield return new Cidr(IpAddr.FromValue(range.First.Family, first), bits - size);
            var end = LastOf(first, size);
            if (end >= last) yield break;
            first = end + 1;
        }
    }

    private static UInt128 LastOf(UInt128 first, int size) => size == 128 ? UInt128.MaxValue : first | ((UInt128.One << size) - 1);
}
