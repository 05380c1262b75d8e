using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Harness;

/// <summary>
/// Loads the rules of a file with iptables, one by one, reads them with the client, compares the text with iptables-save, writes them
/// into new chains, and compares what iptables-save prints of these.
/// </summary>
public static class IptablesRun
{
    /// <summary>Runs it in a network namespace of its own.</summary>
    public static IReadOnlyList<Outcome> Run(IptablesFile file) => Isolated.Run(() => new Session(file).Run());

    private sealed class Session(IptablesFile file)
    {
        private const string Copy = "copy-";
        private readonly IpFamily _family = file.Tool == "iptables" ? IpFamily.IPv4 : IpFamily.IPv6;
        private readonly List<Outcome> _outcomes = [];

        public List<Outcome> Run()
        {
            var taken = new Dictionary<(string Table, string Chain), List<int>>();
            foreach (var step in file.Steps) Load(step, taken);
            using var nftables = new Client();
            foreach (var (place, indexes) in taken)
            {
                var table = Enum.Parse<IptablesTable>(place.Table, ignoreCase: true);
                Compare(table, place.Chain, indexes, nftables);
            }

            return _outcomes;
        }

        private void Load(IptablesFile.Step step, Dictionary<(string Table, string Chain), List<int>> taken)
        {
            if (step.Chain.Length == 0)
            {
                Command(step.Text);
                return;
            }

            var outcome = new Outcome(file.Name, file.Tool, $"-t {step.Table} -A {step.Chain} {step.Text}") { Reading = "not taken" };
            if (Words(step.Text) is not { } words) return;
            var result = Tool.Run(file.Tool, ["-t", step.Table, "-A", step.Chain, .. words]);
            if (result.ExitCode != 0)
            {
                _outcomes.Add(outcome with { Text = result.Error });
                return;
            }

            if (!taken.TryGetValue((step.Table, step.Chain), out var indexes)) taken[(step.Table, step.Chain)] = indexes = [];
            indexes.Add(_outcomes.Count);
            _outcomes.Add(outcome);
        }

        private void Compare(IptablesTable table, string chain, List<int> indexes, Client nftables)
        {
            var content = nftables.Read(table.Key(_family));
            var read = content.Rules[chain].TakeLast(indexes.Count).ToArray();
            var listed = Saved(table, chain).TakeLast(indexes.Count).ToArray();
            var copy = new IptablesChain(table, Copy + chain);
            nftables.Commit(transaction => transaction.Add(copy.Definition(_family)));
            var written = new List<int>();
            for (var i = 0; i < indexes.Count; i++)
            {
                var outcome = _outcomes[indexes[i]] with { Listed = listed[i] };
                try
                {
                    var rule = IptablesClient.Decode(read[i].Rule, _family);
                    var text = IptablesText.Line(chain, rule, _family);
                    var isOpaque = rule.Matches.Any(match => match is UnknownMatch) || rule.Target is UnknownTarget;
                    outcome = outcome with { Text = text, Reading = isOpaque ? "opaque" : text == listed[i] ? "same" : "different" };
                    var refused = nftables.Commit(transaction => transaction.Add(copy.Key(_family), IptablesClient.Encode(rule, _family)));
                    outcome = outcome with { Again = refused is null ? "faithful" : "refused: " + refused };
                    if (refused is null) written.Add(i);
                }
                catch (Exception error)
                {
                    outcome = outcome with { Text = error.ToString(), Reading = "exception", Again = "refused: exception" };
                }

                _outcomes[indexes[i]] = outcome;
            }

            var again = Saved(table, copy.Name).ToArray();
            for (var i = 0; i < written.Count; i++)
            {
                var outcome = _outcomes[indexes[written[i]]];
                var line = i < again.Length ? again[i].Replace("-A " + Copy, "-A ", StringComparison.Ordinal) : "missing";
                if (line != outcome.Listed) _outcomes[indexes[written[i]]] = outcome with { Again = "unfaithful: " + line };
            }

            for (var i = 0; i < indexes.Count; i++) _outcomes[indexes[i]] = _outcomes[indexes[i]] with { Copied = _outcomes[indexes[i]].Again };
        }

        private IEnumerable<string> Saved(IptablesTable table, string chain) => Tool.Run(file.Tool + "-save", ["-t", table.NftName()]).Output
            .Split('\n').Where(line => line == "-A " + chain || line.StartsWith($"-A {chain} ", StringComparison.Ordinal));

        private static void Command(string text)
        {
            if (Words(text) is not [("iptables" or "ip6tables" or "ipset" or "ip") and var program, .. var arguments]) return;
            try
            {
                Tool.Run(program, [.. arguments]);
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Not installed: the rules that need it are not taken.
            }
        }

        /// <summary>As a shell splits: blanks, quotes, and backslashes in double quotes. Null where a quote is open.</summary>
        private static string[]? Words(string text)
        {
            var words = new List<string>();
            System.Text.StringBuilder? word = null;
            var quote = '\0';
            for (var i = 0; i < text.Length; i++)
            {
                var c = text[i];
                if (quote == '\0' && char.IsWhiteSpace(c))
                {
                    if (word is not null) words.Add(word.ToString());
                    word = null;
                    continue;
                }

                word ??= new();
                if (c == quote) quote = '\0';
                else if (quote == '\0' && c is '"' or '\'' && quote == '\0') quote = c;
                else if (c == '\\' && quote != '\'' && i + 1 < text.Length) word.Append(text[++i]);
                else word.Append(c);
            }

            if (word is not null) words.Add(word.ToString());
            return quote == '\0' ? [.. words] : null;
        }
    }
}
