using KubeProxy.Core.Model;
using KubeProxy.Host.Backends;
using KubeProxy.Ipvs;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Host.Inspection;

/// <summary>What a dry run would write, as what the kernel lacks, has otherwise, or has too much.</summary>
/// <param name="run">Over the kernel.</param>
/// <param name="nftables">The kernel; null for an empty one.</param>
internal sealed class Differences(DryRun run, INftables? nftables)
{
    private readonly List<Difference> _found = [];
    private readonly Dictionary<NftTableKey, NftTableContent?> _tables = [];

    /// <summary>All of them.</summary>
    /// <exception cref="NftReadException">The kernel cannot be read.</exception>
    public async Task<IReadOnlyList<Difference>> FindAsync(CancellationToken cancellationToken)
    {
        foreach (var (path, value) in run.Sysctls) Add(DifferenceKind.Changed, $"sysctl {PlanText.NameOf(path)} = {value}");
        foreach (var command in run.Routes) Add(command.Contains(" del ", StringComparison.Ordinal) ? DifferenceKind.Surplus : DifferenceKind.Missing, command);
        foreach (var operation in run.Ipvs) Add(KindOf(operation), $"ipvsadm {IpvsText.Of(operation)}");
        foreach (var operation in run.Nftables) await AddAsync(operation, cancellationToken);
        foreach (var owner in run.Quarantined) Add(DifferenceKind.Refused, $"{owner.Owner}: {owner.Reason}");
        return MergeRewrites();
    }

    private static DifferenceKind KindOf(IpvsOperation operation) => operation switch
    {
        IpvsOperation.AddService or IpvsOperation.AddDestination => DifferenceKind.Missing,
        IpvsOperation.SetService or IpvsOperation.SetDestination => DifferenceKind.Changed,
        _ => DifferenceKind.Surplus,
    };

    private void Add(DifferenceKind kind, string what) => _found.Add(new Difference(run.Family, kind, what));

    private async Task AddAsync(NftOperation operation, CancellationToken cancellationToken)
    {
        switch (operation)
        {
            case NftOperation.AddElements add:
                foreach (var element in add.Elements) Add(DifferenceKind.Missing, Element(add.Set, element));
                break;
            case NftOperation.DeleteElements delete:
                foreach (var element in delete.Elements) Add(DifferenceKind.Surplus, Element(delete.Set, element));
                break;
            case NftOperation.AddRule add:
                Add(DifferenceKind.Missing, Rule(add.Chain, add.Rule));
                break;
            case NftOperation.InsertRule insert:
                Add(DifferenceKind.Missing, Rule(insert.Chain, insert.Rule));
                break;
            case NftOperation.DeleteRule delete:
                var found = (await RulesAsync(delete.Chain, cancellationToken)).FirstOrDefault(rule => rule.Handle == delete.Handle);
                Add(DifferenceKind.Surplus, found is null ? NftText.Of(operation) : Rule(delete.Chain, found.Rule));
                break;
            case NftOperation.FlushChain flush:
                foreach (var rule in await RulesAsync(flush.Chain, cancellationToken)) Add(DifferenceKind.Surplus, Rule(flush.Chain, rule.Rule));
                break;
            case NftOperation.DeleteTable or NftOperation.DeleteChain or NftOperation.DeleteSet or NftOperation.FlushSet:
                Add(DifferenceKind.Surplus, Object(operation));
                break;
            default:
                Add(DifferenceKind.Missing, Object(operation));
                break;
        }
    }

    private async ValueTask<IReadOnlyList<NftRuleInKernel>> RulesAsync(NftChainKey chain, CancellationToken cancellationToken)
    {
        if (!_tables.TryGetValue(chain.Table, out var table))
            _tables[chain.Table] = table = nftables is null ? null : await nftables.ReadTableAsync(chain.Table, cancellationToken);
        return table?.Rules.GetValueOrDefault(chain.Name) ?? [];
    }

    /// <summary>
    /// What goes and comes again as it was is the same; an element that comes again with the same key is changed. The rest of a chain that is
    /// written anew for one rule of it is not named.
    /// </summary>
    private List<Difference> MergeRewrites()
    {
        var surplus = _found.Where(difference => difference.Kind == DifferenceKind.Surplus).GroupBy(difference => difference.What)
            .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        var keys = surplus.Keys.ToDictionary(KeyOf, what => what, StringComparer.Ordinal);
        List<Difference> result = [];
        HashSet<string> changed = [];
        foreach (var difference in _found.Where(difference => difference.Kind != DifferenceKind.Surplus))
        {
            if (difference.Kind == DifferenceKind.Missing && Take(difference.What)) continue;
            var isChanged = difference.Kind == DifferenceKind.Missing && IsElement(difference.What) && keys.TryGetValue(KeyOf(difference.What), out var old) && Take(old);
            result.Add(isChanged ? difference with { Kind = DifferenceKind.Changed } : difference);
        }

        foreach (var difference in _found)
            if (difference.Kind == DifferenceKind.Surplus && Take(difference.What)) result.Add(difference);
        return result;

        bool Take(string what)
        {
            if (!surplus.TryGetValue(what, out var count) || count == 0) return false;
            surplus[what] = count - 1;
            return true;
        }
    }

    private static bool IsElement(string what) => what.StartsWith("element ", StringComparison.Ordinal);

    // An element to be deleted is its key alone.
    private static string KeyOf(string what) => IsElement(what) && what.IndexOf(" : ", StringComparison.Ordinal) is > 0 and var colon ? what[..colon] : what;

    private static string Element(NftSet set, in NftElement element) => $"element {Name(set.Key.Table)} {set.Key.Name} {NftText.Of(set, element with { Comment = null })}";

    private static string Name(NftTableKey table) => $"{table.Family.ToString().ToLowerInvariant()} {table.Name}";

    private static string Object(NftOperation operation)
    {
        var text = NftText.Of(operation, 1);
        return text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..];
    }

    private string Rule(NftChainKey chain, NftRule rule)
    {
        var isStandard = IptablesTables.All.Any(table => table.Key(run.Family) == chain.Table);
        return isStandard
            ? $"{(run.Family == IpFamily.IPv4 ? "iptables" : "ip6tables")} -t {chain.Table.Name} {IptablesText.Line(chain.Name, IptablesClient.Decode(rule, run.Family), run.Family)}"
            : $"rule {Name(chain.Table)} {chain.Name} {NftText.Of(rule)}";
    }
}
