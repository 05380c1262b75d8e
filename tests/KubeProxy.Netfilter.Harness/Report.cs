using System.Globalization;

namespace KubeProxy.Netfilter.Harness;

/// <summary>Counts outcomes.</summary>
public static class Report
{
    private static readonly string[] Readings = ["same", "opaque", "different", "exception", "lost"];

    /// <summary>Tables of numbers: by family, and by what each counts under.</summary>
    public static void Write(TextWriter writer, IReadOnlyList<Outcome> outcomes, Func<Outcome, IEnumerable<string>> words)
    {
        Table(writer, "family", outcomes.GroupBy(outcome => outcome.Family).Append(Named("all", outcomes)));
        writer.WriteLine();
        Table(writer, "keyword", outcomes.Where(outcome => outcome.Reading != "not taken")
            .SelectMany(outcome => words(outcome).Distinct().Select(word => (word, outcome))).GroupBy(pair => pair.word, pair => pair.outcome).OrderBy(group => group.Key, StringComparer.Ordinal));
    }

    /// <summary>Each one that is not the same or not faithful, for somebody who wants to know why.</summary>
    public static void WriteFaults(TextWriter writer, IEnumerable<Outcome> outcomes)
    {
        foreach (var outcome in outcomes.Where(outcome => outcome.Reading != "same" || outcome.Again != "faithful" || outcome.Copied != "faithful"))
        {
            writer.WriteLine($"[{outcome.Reading}] {outcome.File} {outcome.Family}: {outcome.Given}");
            writer.WriteLine($"    nft:  {outcome.Listed}\n    ours: {outcome.Text}");
            if (outcome.Again is not ("faithful" or "")) writer.WriteLine($"    again: {outcome.Again}");
            if (outcome.Copied is not ("faithful" or "")) writer.WriteLine($"    copy: {outcome.Copied}");
        }
    }

    private static void Table(TextWriter writer, string title, IEnumerable<IGrouping<string, Outcome>> groups)
    {
        writer.WriteLine($"| {title} | taken | not taken | same | same % | {string.Join(" | ", Readings[1..])} | again: faithful | refused | unfaithful | copy: faithful | refused | unfaithful |");
        writer.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var group in groups)
        {
            var taken = group.Where(outcome => outcome.Reading != "not taken").ToArray();
            var same = taken.Count(outcome => outcome.Reading == "same");
            var percent = taken.Length == 0 ? 0 : 100.0 * same / taken.Length;
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {group.Key} | {taken.Length} | {group.Count() - taken.Length} | {same} | {percent:F1} | {string.Join(" | ", Readings[1..].Select(reading => taken.Count(outcome => outcome.Reading == reading)))} | {Written(taken, outcome => outcome.Again)} | {Written(taken, outcome => outcome.Copied)} |"));
        }
    }

    private static string Written(Outcome[] outcomes, Func<Outcome, string> which) => string.Join(" | ",
        new[] { "faithful", "refused", "unfaithful" }.Select(start => outcomes.Count(outcome => which(outcome).StartsWith(start, StringComparison.Ordinal))));

    private static IGrouping<string, Outcome> Named(string name, IEnumerable<Outcome> outcomes) => outcomes.GroupBy(_ => name).First();
}
