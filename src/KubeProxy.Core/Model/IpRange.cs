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

    /// <summary>Parses a block (<c>192.0.2.0/24</c>), a range (<c>192.0.2.10-192.0.2.20</c>) or a single address.</summary>
    /// <param name="text">The text.</param>
    /// <param name="range">The range.</param>
    /// <param name="problem">What is wrong with the text; empty when it is a range.</param>
    public static bool TryParse(string? text, out IpRange range, out string problem)
    {
        (range, problem) = (default, "");
        var trimmed = text?.Trim() ?? "";
        var dash = trimmed.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
        {
            if (Cidr.TryParse(trimmed, out var block)) range = From(block);
            else if (IpAddr.TryParse(trimmed, out var single)) range = new IpRange(single, single);
            else problem = "is neither a CIDR block, an address, nor a range of addresses such as 192.0.2.10-192.0.2.20";
            return problem.Length == 0;
        }

        if (!IpAddr.TryParse(trimmed[..dash].Trim(), out var first) || !IpAddr.TryParse(trimmed[(dash + 1)..].Trim(), out var last))
            problem = "is not a range of addresses such as 192.0.2.10-192.0.2.20";
        else if (first.Family != last.Family)
            problem = "begins in one address family and ends in the other";
        else if (first > last)
            problem = "ends before it begins";
        else
            range = new IpRange(first, last);
        return problem.Length == 0;
    }

    /// <summary><c>first-last</c>.</summary>
    public override string ToString() => $"{First}-{Last}";
}
