using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Harness;

/// <summary>
/// Loads the rules of a file with nft, each into a chain of its own, reads them with the client, compares the text, adds each rule
/// once more to its chain and everything to a new table, and compares what nft lists of these.
/// </summary>
public static class RuleRun
{
    private const string Refused = "refused: ";

    /// <summary>Runs it in a network namespace of its own.</summary>
    public static IReadOnlyList<Outcome> Run(RuleFile file) => Isolated.Run(new Session(file).Run);

    private sealed class Session(RuleFile file)
    {
        private readonly NftTableKey _table = new(Enum.Parse<NftFamily>(file.Family, ignoreCase: true), "t");
        private readonly Dictionary<int, string> _refused = [];

        public Outcome[] Run()
        {
            Load();
            var listed = Listing.Rules(Tool.List("table", file.Family, "t"));
            using var client = new Client();
            var content = client.Read(_table);
            var outcomes = new Outcome[file.Rules.Count];
            for (var i = 0; i < outcomes.Length; i++) outcomes[i] = Compare(i, listed, content);
            var again = client.AddAgain(_table, content);
            var after = Listing.Rules(Tool.List("table", file.Family, "t"));
            var copy = client.Copy(content, "t2");
            var copied = Listing.Rules(Tool.List("table", file.Family, "t2"));
            for (var i = 0; i < outcomes.Length; i++)
            {
                if (outcomes[i].Reading == "not taken") continue;
                outcomes[i] = outcomes[i] with
                {
                    Again = Written(again.GetValueOrDefault(Chain(i)), outcomes[i].Listed, after.GetValueOrDefault(Chain(i)), 1),
                    Copied = Written(copy.GetValueOrDefault(Chain(i)), outcomes[i].Listed, copied.GetValueOrDefault(Chain(i)), 0),
                };
            }

            return outcomes;
        }

        private static string Chain(int index) => $"c{index}";

        private static string Written(string? refused, string listed, List<string>? rules, int index)
        {
            if (refused is not null) return Refused + refused;
            if (rules is null || rules.Count <= index) return Refused + "missing";
            return rules[index] == listed ? "faithful" : "unfaithful: " + rules[index];
        }

        private Outcome Compare(int index, Dictionary<string, List<string>> listed, NftTableContent content)
        {
            var outcome = new Outcome(file.Name, file.Family, file.Rules[index]) { Reading = "not taken" };
            if (_refused.TryGetValue(index, out var reason)) return outcome with { Text = reason };
            var lines = listed.GetValueOrDefault(Chain(index)) ?? [];
            outcome = outcome with { Listed = string.Join('\n', lines) };
            if (content.Rules.GetValueOrDefault(Chain(index)) is not [var rule]) return outcome with { Reading = "lost" };
            try
            {
                var text = NftText.Of(rule.Rule, _table.Family);
                var reading = rule.Rule.Statements.Any(statement => statement is NftOpaque) ? "opaque" : text == outcome.Listed ? "same" : "different";
                return outcome with { Text = text, Reading = reading };
            }
            catch (Exception error)
            {
                return outcome with { Text = error.ToString(), Reading = "exception" };
            }
        }

        private void Load()
        {
            Require($"add table {file.Family} t\n");
            foreach (var command in file.Prelude) Tool.Nft(command + "\n");
            LoadRange(0, file.Rules.Count);
        }

        /// <summary>All at once where that works; else in halves, down to the rule that does not.</summary>
        private void LoadRange(int start, int count)
        {
            if (count == 0) return;
            var script = string.Concat(Enumerable.Range(start, count).Select(i =>
                $"add chain {file.Family} t {Chain(i)} {(file.Chain.Length > 0 ? $"{{ {file.Chain}; }}" : "")}\nadd rule {file.Family} t {Chain(i)} {file.Rules[i]}\n"));
            var result = Tool.Nft(script);
            if (result.ExitCode == 0) return;
            if (count == 1)
            {
                _refused[start] = result.Error;
                return;
            }

            LoadRange(start, count / 2);
            LoadRange(start + (count / 2), count - (count / 2));
        }

        private static void Require(string script)
        {
            if (Tool.Nft(script) is { ExitCode: not 0 } result) throw new InvalidOperationException(result.Error);
        }
    }
}
