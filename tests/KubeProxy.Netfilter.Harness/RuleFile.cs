namespace KubeProxy.Netfilter.Harness;

/// <summary>Rules for one table: what has to be there before them, and the rules.</summary>
/// <param name="Name">Where they come from.</param>
/// <param name="Family">nft's name of the family.</param>
/// <param name="Chain">What stands in the braces of the chain that they go into; empty for a chain without a hook.</param>
/// <param name="Prelude">Bodies of sets and objects, and elements, as commands for a table named <c>t</c>, one by one.</param>
/// <param name="Rules">The rules.</param>
public sealed record RuleFile(string Name, string Family, string Chain, IReadOnlyList<string> Prelude, IReadOnlyList<string> Rules)
{
    /// <summary>
    /// Reads a file of nft's own format for rule tests: <c>:chain;spec</c>, <c>*family;table;chain</c>, <c>!set type;ok</c>,
    /// <c>?set elements;ok</c>, <c>%object type spec;ok</c>, and <c>rule;ok</c>. One result for each family.
    /// </summary>
    public static IReadOnlyList<RuleFile> Read(string path)
    {
        var chains = new Dictionary<string, string>(StringComparer.Ordinal);
        var families = new List<(string Family, string Chain)>();
        List<string> sets = [], elements = [], objects = [], rules = [];
        foreach (var line in File.ReadLines(path).Select(line => line.Trim()))
        {
            if (line.Length == 0 || line[0] is '#' or '-') continue;
            var fields = line[1..].Split(';');
            switch (line[0])
            {
                case ':': chains[fields[0]] = string.Join(';', fields[1..]); break;
                case '*': families.Add((fields[0], fields[2].Split(',')[0])); break;
                case '!' when fields[^1] == "ok" || fields.Length > 1 && fields[1] == "ok": sets.Add(fields[0]); break;
                case '?' when fields[^1] == "ok": elements.Add(fields[0]); break;
                case '%' when fields[^1] == "ok": objects.Add(fields[0]); break;
                case '!' or '?' or '%': break;
                default: AddRule(line, rules); break;
            }
        }

        return
        [
            .. families.Distinct().Select(entry => new RuleFile(
                Path.GetFileName(path), entry.Family, chains.GetValueOrDefault(entry.Chain, ""),
                [.. sets.Select(set => Set(entry.Family, set)), .. elements.Select(text => Element(entry.Family, text)), .. objects.Select(text => Object(entry.Family, text))],
                rules)),
        ];
    }

    private static void AddRule(string line, List<string> rules)
    {
        var fields = line.Split(";");
        var ok = Array.IndexOf(fields, "ok");
        if (ok > 0) rules.Add(string.Join(';', fields[..ok]));
    }

    private static string Set(string family, string text)
    {
        var (name, spec) = Split(text);
        var flags = spec.Contains(" interval", StringComparison.Ordinal) ? " flags interval;" : "";
        var timeout = spec.Contains(" timeout", StringComparison.Ordinal) ? " timeout 60s;" : "";
        var dynamic = spec.Contains(" dynamic", StringComparison.Ordinal) ? " flags dynamic;" : "";
        spec = spec.Replace(" interval", "", StringComparison.Ordinal).Replace(" timeout 60s", "", StringComparison.Ordinal).Replace(" dynamic", "", StringComparison.Ordinal);
        var kind = spec.Contains(" : ", StringComparison.Ordinal) ? "map" : "set";
        var isBare = !spec.StartsWith("type", StringComparison.Ordinal);
        return $"add {kind} {family} t {name} {{ {(isBare ? "type " : "")}{spec};{flags}{timeout}{dynamic} }}";
    }

    private static string Element(string family, string text)
    {
        var (name, list) = Split(text);
        return $"add element {family} t {name} {{ {list} }}";
    }

    private static string Object(string family, string text)
    {
        var (name, spec) = Split(text);
        spec = spec.StartsWith("type ", StringComparison.Ordinal) ? spec[5..] : spec;
        string[] kinds = ["ct helper", "ct timeout", "ct expectation", "counter", "quota", "limit", "synproxy", "secmark"];
        var kind = Array.Find(kinds, spec.StartsWith) ?? spec;
        var rest = spec[kind.Length..].Trim().Trim('{', '}').Trim();
        return $"add {kind} {family} t {name} {(rest.Length > 0 ? $"{{ {rest.TrimEnd(';')}; }}" : "")}";
    }

    private static (string Name, string Spec) Split(string text)
    {
        var at = text.IndexOf(' ', StringComparison.Ordinal);
        return (text[..at], text[(at + 1)..].Trim());
    }
}
