namespace KubeProxy.TestKit.Api;

/// <summary>A label and a field selector, as in the query of a request.</summary>
public sealed class Selector(string? labels, string? fields)
{
    private readonly string[] _labels = Split(labels);
    private readonly string[] _fields = Split(fields);

    public bool Matches(StoredObject? value) =>
        value is not null && _labels.All(term => MatchesLabel(value, term)) && _fields.All(term => MatchesField(value, term));

    private static bool MatchesLabel(StoredObject value, string term)
    {
        if (term.StartsWith('!')) return !value.HasLabel(term[1..], out _);
        if (Parse(term) is not var (name, negated, wanted)) return value.HasLabel(term, out _);
        var has = value.HasLabel(name, out var actual) && actual == wanted;
        return has != negated;
    }

    private static bool MatchesField(StoredObject value, string term) => Parse(term) is var (path, negated, wanted)
        ? value.Field(path) == wanted != negated
        : throw new FormatException($"not a field selector: {term}");

    private static (string Name, bool Negated, string Value)? Parse(string term)
    {
        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at < 1) return null;
        var negated = term[at - 1] == '!';
        return (term[..(negated ? at - 1 : at)], negated, term[(at + 1)..].TrimStart('='));
    }

    private static string[] Split(string? text) => text is { Length: > 0 } ? text.Split(',') : [];
}
