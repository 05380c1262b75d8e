using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>Sets of addresses as lists of ranges.</summary>
internal static class IpRanges
{
    /// <summary>Sorts ranges of one family and merges those that overlap or touch.</summary>
    public static ImmutableArray<IpRange> Normalize(IEnumerable<IpRange> ranges)
    {
        var result = ImmutableArray.CreateBuilder<IpRange>();
        foreach (var range in ranges.OrderBy(range => range.First).ThenBy(range => range.Last))
        {
            if (result.Count > 0 && Continues(result[^1], range))
            {
                if (result[^1].Last < range.Last) result[^1] = result[^1] with { Last = range.Last };
            }
            else
            {
                result.Add(range);
            }
        }

        return result.ToImmutable();
    }

    // The last address of a family has no successor; then everything that follows in order lies within.
    private static bool Continues(IpRange before, IpRange next) =>
        next.First <= before.Last || next.First.Value - 1 == before.Last.Value;
}
