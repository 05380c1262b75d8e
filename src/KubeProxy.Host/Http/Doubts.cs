using KubeProxy.Core.Health;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;

namespace KubeProxy.Host.Http;

/// <summary>A reason to doubt that connections go where the last state of the cluster says.</summary>
/// <param name="Subject">What it is about; the same as long as it lasts, while numbers in the text may change.</param>
/// <param name="Text">One line for an operator.</param>
internal readonly record struct Doubt(string Subject, string Text)
{
    /// <summary>One line for an operator.</summary>
    public string Text { get; } = SingleLine.Of(Text);

    public override string ToString() => Text;
}

/// <summary>What <c>/readyz</c> answers by. The source is no part of it: while the API server is away, what it last said is still right.</summary>
internal static class Doubts
{
    private const int Shown = 5;

    // One or two changes by hand are repaired, and no more than that.
    private const int RepairsOfFight = 3;

    /// <summary>All doubts; none when the kernel holds what was last asked for, and nothing else is known that wins over it.</summary>
    public static IReadOnlyList<Doubt> Of(ProxyStatus status, ProxyHealthReport health, IReadOnlyList<Rival> rivals) =>
    [
        .. status.Families.SelectMany(family => Of(family, status, health).Select(doubt => new Doubt($"{family.Family} {doubt.Subject}", $"{family.Family}: {doubt.Text}"))),
        .. rivals.Where(rival => rival.CanWin).Select(rival => new Doubt(rival.Subject, rival.ToString())),
    ];

    /// <summary>What is wrong with the sources as a whole; the rules are not wrong by that.</summary>
    public static IEnumerable<ObjectProblem> OfSources(ProxyStatus status) => status.Problems.Where(problem => problem.Kind.Length == 0);

    private static IEnumerable<Doubt> Of(FamilyStatus family, ProxyStatus status, ProxyHealthReport health)
    {
        if (family.Syncs == 0) yield return new("first", $"the first sync is not done yet{Missing(status)}{(family.LastError is { } first ? $": {first}" : "")}");
        else if (family.LastError is { } error) yield return new("failed", $"the last sync failed: {error}");
        else if (health.Families.TryGetValue(family.Family, out var own) && own is { WaitingSince: { } since } && (own.IsLate || !own.Healthy))
            yield return new("late", $"a change has waited since {Rfc3339.Format(since)}");
        else if (family.Pending > 0) yield return new("pending", $"long lists of endpoints are still being written ({family.Pending})");
        else if (!family.IsCurrent) yield return new("touched", "the rules were changed by others and are being repaired");

        if (family.RecentRepairs >= RepairsOfFight)
        {
            yield return new("fight",
                $"the rules were changed by others and repaired {family.RecentRepairs} times in the last two minutes (last: {family.LastDoubt ?? "unknown"}). "
                + "It may be that two proxies run on this node");
        }

        if (family.Quarantined.Count > 0) yield return new("refused", "refused and left out: " + Names(family.Quarantined));
    }

    private static string Missing(ProxyStatus status)
    {
        var missing = new[] { ObjectKind.Service, ObjectKind.EndpointSlice }.Except(status.Synced).Select(kind => kind.ToName() + "s").ToList();
        return missing.Count == 0 ? "" : $", without the list of {string.Join(" and ", missing)}";
    }

    private static string Names(IReadOnlyList<QuarantinedOwner> owners) => string.Join(", ", owners.Take(Shown).Select(owner => owner.Owner))
        + (owners.Count > Shown ? $" and {owners.Count - Shown} more" : "");
}
