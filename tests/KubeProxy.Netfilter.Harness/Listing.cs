namespace KubeProxy.Netfilter.Harness;

/// <summary>What nft lists, taken apart.</summary>
public static class Listing
{
    /// <summary>The rules by chain, each on one line.</summary>
    public static Dictionary<string, List<string>> Rules(string table)
    {
        var chains = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        List<string>? rules = null;
        foreach (var line in Joined(table.Split('\n')))
        {
            if (line.StartsWith("\tchain ", StringComparison.Ordinal)) chains[line.Split(' ')[1]] = rules = [];
            else if (line == "\t}") rules = null;
            else if (rules is not null && !line.StartsWith("\t\ttype ", StringComparison.Ordinal)) rules.Add(line.Trim());
        }

        return chains;
    }

    /// <summary>The table with each rule and each list of elements on one line, and elements of named sets sorted.</summary>
    public static string Normal(string table) => string.Join('\n', Joined(table.Split('\n')).Select(SortedElements));

    private static string SortedElements(string line)
    {
        const string start = "\t\telements = { ";
        if (!line.StartsWith(start, StringComparison.Ordinal)) return line;
        var items = line[start.Length..].TrimEnd('}', ' ').Split(", ").Select(item => item.Trim(',', ' ', '\t')).Order(StringComparer.Ordinal);
        return $"{start}{string.Join(", ", items)} }}";
    }

    /// <summary>nft breaks long lists of elements into lines.</summary>
    private static IEnumerable<string> Joined(IEnumerable<string> lines)
    {
        string? open = null;
        foreach (var line in lines)
        {
            var text = open is null ? line : $"{open} {line.Trim()}";
            var isOpen = line.StartsWith("\t\t", StringComparison.Ordinal) && text.Count(c => c == '{') > text.Count(c => c == '}')
                && !text.TrimEnd().EndsWith('{') && (text.TrimEnd().EndsWith(',') || text.Contains("elements = {", StringComparison.Ordinal));
            open = isOpen ? text : null;
            if (!isOpen) yield return text;
        }
    }
}
