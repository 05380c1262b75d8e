using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using KubeProxy.Netfilter.Nfacct;

namespace KubeProxy.Benchmarks;

/// <summary>
/// The real <c>iptables-nft-restore</c> loading the same rules: as <c>iptables-nft-save</c> prints them, and in the order in which upstream
/// writes them. It keeps its chains sorted, and is quick only with those that come sorted.
/// </summary>
internal static partial class IptablesRestore
{
    private const string FullText = "full";
    private const string UpstreamText = "upstream";
    private const string ReplaceText = "replace";
    private const string AddText = "add";

    // Those that belong together are loaded into one kernel, one after the other.
    private static readonly (string File, string Phase)[][] Texts =
        [[(UpstreamText, Scenario.FullSync + ", upstream's order")], [(FullText, Scenario.FullSync), (ReplaceText, Scenario.Replace), (AddText, Scenario.AddService)]];

    /// <summary>Writes what has to be restored for each phase to files in the directory.</summary>
    public static async Task WriteTextsAsync(int services, string directory)
    {
        await using var rig = new Rig(null, BackendMode.Iptables, listen: false);
        rig.Deliver(services);
        await rig.StartAsync();
        var full = Save();
        File.WriteAllText(Path.Combine(directory, FullText), full);
        File.WriteAllText(Path.Combine(directory, UpstreamText), InUpstreamsOrder(full));
        await rig.ApplyAsync(Cluster.Slice(services / 2, generation: 1));
        var replaced = Save();
        File.WriteAllText(Path.Combine(directory, ReplaceText), Difference(full, replaced));
        await rig.ApplyAsync(Cluster.Slice(services));
        await rig.ApplyAsync(Cluster.Service(services));
        File.WriteAllText(Path.Combine(directory, AddText), Difference(replaced, Save()));
    }

    /// <returns>What each phase costs.</returns>
    public static async Task<Dictionary<string, Cost>> MeasureAsync(string directory)
    {
        await MakeCountersAsync(File.ReadAllText(Path.Combine(directory, FullText)));
        var result = new Dictionary<string, Cost>();
        foreach (var texts in Texts)
        {
            foreach (var (file, phase) in texts)
            {
                var text = File.ReadAllText(Path.Combine(directory, file));
                var (start, cpu) = (Stopwatch.GetTimestamp(), Commands.CpuOfChildren());
                Commands.ExecuteWithInput(text, "iptables-nft-restore", "--noflush", "--counters");
                result[phase] = new Cost(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Commands.CpuOfChildren() - cpu);
            }

            Commands.Execute("nft", "flush", "ruleset");
        }

        return result;
    }

    // The rules name accounting objects, which upstream makes beforehand, too.
    private static async Task MakeCountersAsync(string rules)
    {
        using var accounting = AccountingClient.Open();
        foreach (Match counter in CounterName().Matches(rules)) await accounting.EnsureAsync(counter.Groups[1].Value);
    }

    [GeneratedRegex(@"--nfacct-name +(\S+)")]
    private static partial Regex CounterName();

    private static string Save() => Commands.Execute("iptables-nft-save", "-t", "nat") + Commands.Execute("iptables-nft-save", "-t", "filter");

    // Service by service: its chains, and the rule that leads to them before their own. The names are hashes, so they are in no order.
    private static string InUpstreamsOrder(string saved)
    {
        var chains = NatChains(saved);
        var (declarations, rules) = (new StringBuilder(), new StringBuilder());
        foreach (var chain in chains.Keys.Where(chain => !chain.StartsWith("KUBE-SVC-", StringComparison.Ordinal) && !chain.StartsWith("KUBE-SEP-", StringComparison.Ordinal)))
        {
            Declare(chain);
            if (chain != "KUBE-SERVICES") rules.AppendJoin('\n', chains[chain]).Append('\n');
        }

        foreach (var rule in chains["KUBE-SERVICES"])
        {
            rules.Append(rule).Append('\n');
            Follow(rule);
        }

        return $"*nat\n{declarations}{rules}COMMIT\n{saved[saved.IndexOf("*filter", StringComparison.Ordinal)..]}";

        void Declare(string chain) => declarations.Append(':').Append(chain).Append(" - [0:0]\n");

        void Follow(string rule)
        {
            var target = rule[(rule.LastIndexOf(" -j ", StringComparison.Ordinal) + 4)..].Split(' ')[0];
            if (!target.StartsWith("KUBE-S", StringComparison.Ordinal) || !chains.Remove(target, out var own)) return;
            Declare(target);
            rules.AppendJoin('\n', own).Append('\n');
            foreach (var each in own) Follow(each);
        }
    }

    /// <summary>As in a partial sync of upstream: the chains that changed, and KUBE-SERVICES as a whole.</summary>
    private static string Difference(string before, string after)
    {
        var (old, now) = (NatChains(before), NatChains(after));
        var changed = now.Where(chain => chain.Key == "KUBE-SERVICES" || !old.TryGetValue(chain.Key, out var rules) || !rules.SequenceEqual(chain.Value)).ToArray();
        var gone = old.Keys.Except(now.Keys).ToArray();
        var text = new StringBuilder("*nat\n");
        foreach (var chain in changed.Select(chain => chain.Key).Concat(gone)) text.Append(':').Append(chain).Append(" - [0:0]\n");
        foreach (var rule in changed.SelectMany(chain => chain.Value)) text.Append(rule).Append('\n');
        foreach (var chain in gone) text.Append("-X ").Append(chain).Append('\n');
        return text.Append("COMMIT\n").ToString();
    }

    private static Dictionary<string, List<string>> NatChains(string saved)
    {
        var chains = new Dictionary<string, List<string>>();
        foreach (var line in saved[..saved.IndexOf("COMMIT", StringComparison.Ordinal)].Split('\n'))
        {
            if (line.StartsWith(":KUBE-", StringComparison.Ordinal)) chains.Add(line[1..line.IndexOf(' ', StringComparison.Ordinal)], []);
            else if (line.StartsWith("-A KUBE-", StringComparison.Ordinal)) chains[line.Split(' ')[1]].Add(line);
        }

        return chains;
    }
}
