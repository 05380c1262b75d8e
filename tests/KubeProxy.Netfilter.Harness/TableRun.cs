using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Harness;

/// <summary>Loads a ruleset with nft, and for each of its tables compares our text, and what nft lists of a copy.</summary>
public static class TableRun
{
    /// <summary>Runs it in a network namespace of its own.</summary>
    public static IReadOnlyList<Outcome> Run(string path) => Isolated.Run(() => Session(path));

    private static List<Outcome> Session(string path)
    {
        var name = Path.GetFileName(path);
        if (Tool.Run("nft", ["-f", path]) is { ExitCode: not 0 } refused)
            return [new Outcome(name, "", name) { Reading = "not taken", Text = refused.Error }];
        using var client = new Client();
        var outcomes = new List<Outcome>();
        foreach (var line in Tool.List("tables").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            outcomes.Add(Compare(name, client, words[1], words[2]));
        }

        return outcomes;
    }

    private static Outcome Compare(string file, Client client, string family, string name)
    {
        var listed = Listing.Normal(Tool.List("table", family, name));
        var outcome = new Outcome(file, family, name) { Listed = listed, Reading = "exception" };
        try
        {
            var key = new NftTableKey(Enum.Parse<NftFamily>(family, ignoreCase: true), name);
            var content = client.Read(key);
            var text = Listing.Normal(NftText.Of(content, client.Elements));
            var isOpaque = content.Rules.Values.Any(rules => rules.Any(rule => rule.Rule.Statements.Any(statement => statement is NftOpaque)));
            var reading = text == listed ? "same" : isOpaque ? "opaque" : "different";
            var copy = name + "_copy";
            var refused = client.Copy(content, copy);
            var copied = Listing.Normal(Tool.List("table", family, copy)).Replace($"table {family} {copy} {{", $"table {family} {name} {{", StringComparison.Ordinal);
            Tool.Run("nft", ["delete", "table", family, copy]);
            var written = refused.Count > 0 ? "refused: " + string.Join("; ", refused.Select(entry => $"{entry.Key}: {entry.Value}"))
                : copied == listed ? "faithful" : "unfaithful: " + copied;
            return outcome with { Text = text, Reading = reading, Copied = written, Again = written };
        }
        catch (Exception error)
        {
            return outcome with { Text = error.ToString(), Again = "refused: exception", Copied = "refused: exception" };
        }
    }
}
