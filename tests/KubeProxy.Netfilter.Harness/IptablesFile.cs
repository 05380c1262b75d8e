namespace KubeProxy.Netfilter.Harness;

/// <summary>
/// Rules in the format of iptables' own tests: <c>:CHAIN,CHAIN</c> and <c>*table</c> say where the rules after them go, a line
/// <c>arguments;expected;OK</c> is a rule, and <c>@command</c> or <c>%command</c> is run before what follows.
/// </summary>
/// <param name="Name">Where they come from.</param>
/// <param name="Tool">iptables or ip6tables.</param>
/// <param name="Steps">In the order of the file.</param>
public sealed record IptablesFile(string Name, string Tool, IReadOnlyList<IptablesFile.Step> Steps)
{
    /// <summary>A rule, or (without a chain) a command.</summary>
    public sealed record Step(string Table, string Chain, string Text);

    /// <summary>The file for each tool that it is for, by its name: libipt_ (or v4-) and libip6t_ (or v6-) are for one, others for both.</summary>
    public static IReadOnlyList<IptablesFile> Read(string path)
    {
        var name = Path.GetFileName(path);
        string[] tools = name.StartsWith("libarpt", StringComparison.Ordinal) || name.StartsWith("libebt", StringComparison.Ordinal) ? []
            : name.StartsWith("libipt_", StringComparison.Ordinal) || name.StartsWith("v4-", StringComparison.Ordinal) ? ["iptables"]
            : name.StartsWith("libip6t_", StringComparison.Ordinal) || name.StartsWith("v6-", StringComparison.Ordinal) ? ["ip6tables"] : ["iptables", "ip6tables"];
        if (tools.Length == 0) return [];
        var steps = new List<Step>();
        var (table, chains) = ("filter", Array.Empty<string>());
        foreach (var line in File.ReadLines(path))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (line[0] == '*') table = line[1..].Trim();
            else if (line[0] == ':') chains = line[1..].Trim().Split(',');
            else if (line[0] is '@' or '%') steps.Add(new Step("", "", line[1..].Trim()));
            else if (line.Split(';') is [var rule, _, var result, ..] && result.Trim() == "OK") steps.AddRange(chains.Select(chain => new Step(table, chain, rule)));
        }

        return [.. tools.Select(tool => new IptablesFile(name, tool, steps))];
    }
}
