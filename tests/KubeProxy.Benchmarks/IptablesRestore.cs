using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using KubeProxy.Netfilter.Accounting;

namespace KubeProxy.Benchmarks;

/// <summary>The real <c>iptables-nft-restore</c> loading the same rules, the way upstream gives them to it.</summary>
internal static partial class IptablesRestore
{
    private const string FullText = "full";
    private const string ReplaceText = "replace";
    private const string AddText = "add";

    private static readonly (string File, string Phase)[] Texts =
        [(FullText, Scenario.FullSync), (ReplaceText, Scenario.Replace), (AddText, Scenario.AddService)];

    /// <summary>Writes what has to be restored for each phase to files in the directory.</summary>
    public static async Task WriteTextsAsync(int services, string directory)
    {
        await using var rig = new Rig(null, BackendMode.Iptables, listen: false);
        rig.Deliver(services);
        await rig.StartAsync();
        var full = Save();
        File.WriteAllText(Path.Combine(directory, FullText), full);
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
        foreach (var (file, phase) in Texts)
        {
            var text = File.ReadAllText(Path.Combine(directory, file));
            var (start, cpu) = (Stopwatch.GetTimestamp(), Commands.CpuOfChildren());
            Commands.ExecuteWithInput(text, "iptables-nft-restore", "--noflush", "--counters");
            result[phase] = new Cost(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Commands.CpuOfChildren() - cpu);
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
