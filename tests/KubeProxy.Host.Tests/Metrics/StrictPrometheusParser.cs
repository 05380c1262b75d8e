using System.Globalization;
using System.Text.RegularExpressions;

namespace KubeProxy.Host.Tests.Metrics;

/// <summary>One metric with all its samples.</summary>
internal sealed record ParsedFamily(string Name, string Type, string Help, IReadOnlyList<ParsedSample> Samples);

/// <summary>One line with a value.</summary>
internal sealed record ParsedSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// Reads the Prometheus text format 0.0.4 and forgives nothing: every metric has HELP and TYPE, in this order, before its samples; its
/// samples stand together; no sample comes twice; histograms are complete and cumulate.
/// </summary>
internal static partial class StrictPrometheusParser
{
    public static IReadOnlyList<ParsedFamily> Parse(string text)
    {
        if (!text.EndsWith('\n')) throw new FormatException("The text does not end with a line break.");
        var families = new List<ParsedFamily>();
        var lines = text[..^1].Split('\n');
        for (var at = 0; at < lines.Length;) families.Add(ReadFamily(lines, ref at));
        if (families.GroupBy(family => family.Name).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new FormatException($"{twice.Key} comes twice.");
        return families;
    }

    private static ParsedFamily ReadFamily(string[] lines, ref int at)
    {
        var help = HelpLine().Match(lines[at]);
        if (!help.Success) throw new FormatException($"Line {at + 1}: expected HELP: {lines[at]}");
        var name = help.Groups[1].Value;
        if (help.Groups[2].Length == 0) throw new FormatException($"{name} has no help.");
        var type = ++at < lines.Length ? TypeLine().Match(lines[at]) : Match.Empty;
        if (!type.Success || type.Groups[1].Value != name) throw new FormatException($"Line {at + 1}: expected TYPE of {name}");
        var samples = new List<ParsedSample>();
        for (at++; at < lines.Length && !lines[at].StartsWith('#'); at++) samples.Add(ReadSample(lines[at], at + 1));
        var family = new ParsedFamily(name, type.Groups[2].Value, help.Groups[2].Value, samples);
        Check(family);
        return family;
    }

    private static ParsedSample ReadSample(string line, int number)
    {
        var match = SampleLine().Match(line);
        if (!match.Success) throw new FormatException($"Line {number}: no sample: {line}");
        var labels = new Dictionary<string, string>();
        foreach (Match label in Label().Matches(match.Groups[2].Value))
            if (!labels.TryAdd(label.Groups[1].Value, label.Groups[2].Value)) throw new FormatException($"Line {number}: label twice: {line}");
        var value = match.Groups[3].Value;
        return new ParsedSample(match.Groups[1].Value, labels, value switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            "NaN" => double.NaN,
            _ => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture),
        });
    }

    private static void Check(ParsedFamily family)
    {
        if (family.Samples.Count == 0) throw new FormatException($"{family.Name} has no samples.");
        string[] suffixes = family.Type == "histogram" ? ["_bucket", "_sum", "_count"] : [""];
        foreach (var sample in family.Samples)
            if (!suffixes.Any(suffix => sample.Name == family.Name + suffix)) throw new FormatException($"{sample.Name} does not belong to {family.Name}.");
        if (family.Samples.GroupBy(sample => sample.Name + Key(sample.Labels)).Any(group => group.Count() > 1)) throw new FormatException($"{family.Name} has a sample twice.");
        if (family.Type == "counter" && family.Samples.Any(sample => sample.Value is < 0 or double.NaN)) throw new FormatException($"{family.Name} counts below 0.");
        if (family.Type == "histogram") CheckHistogram(family);
    }

    private static void CheckHistogram(ParsedFamily family)
    {
        foreach (var series in family.Samples.GroupBy(sample => Key(sample.Labels.Where(label => label.Key != "le"))))
        {
            var buckets = series.Where(sample => sample.Name.EndsWith("_bucket", StringComparison.Ordinal)).ToList();
            var bounds = buckets.Select(bucket => bucket.Labels["le"]).Select(le => le == "+Inf" ? double.PositiveInfinity : double.Parse(le, CultureInfo.InvariantCulture)).ToList();
            if (!bounds.SequenceEqual(bounds.Order()) || bounds.Count == 0 || !double.IsPositiveInfinity(bounds[^1])) throw new FormatException($"{family.Name}: buckets {string.Join(' ', bounds)}");
            if (buckets.Zip(buckets.Skip(1)).Any(pair => pair.First.Value > pair.Second.Value)) throw new FormatException($"{family.Name}: buckets do not cumulate.");
            var count = series.Single(sample => sample.Name.EndsWith("_count", StringComparison.Ordinal)).Value;
            if (count != buckets[^1].Value) throw new FormatException($"{family.Name}: {count} in all, {buckets[^1].Value} in buckets.");
            _ = series.Single(sample => sample.Name.EndsWith("_sum", StringComparison.Ordinal));
        }
    }

    private static string Key(IEnumerable<KeyValuePair<string, string>> labels) => string.Join(',', labels.OrderBy(label => label.Key).Select(label => $"{label.Key}={label.Value}"));

    [GeneratedRegex("^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?!\})|(?=\})))+)\})? ([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf)|NaN)$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\\\\\"n])*)\"")]
    private static partial Regex Label();
}
