using KubeProxy.Core.Model;

namespace KubeProxy.Core.Health;

/// <summary>
/// Whether the proxy keeps up: a family is unhealthy when a change, or a sync that failed, has waited for twice the sync period. And
/// whether it has programmed anything yet. Thread-safe.
/// </summary>
public sealed class ProxyHealth
{
    // Beyond what is waited on purpose, changes together, a change takes so long only when something is in its way.
    private static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly SortedDictionary<IpFamily, FamilyState> _families = [];
    private readonly SortedSet<IpFamily> _unprogrammed = [];
    private readonly TimeProvider _time;
    private TimeSpan _limit;
    private TimeSpan _late = UsualTime;
    private bool _nodeEligible;

    /// <summary>Makes the state.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="syncPeriod">Half of the time that a change may wait.</param>
    public ProxyHealth(TimeProvider time, TimeSpan syncPeriod) => (_time, _limit) = (time, 2 * syncPeriod);

    /// <summary>The state at this moment.</summary>
    public ProxyHealthReport Report()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var families = new SortedDictionary<IpFamily, FamilyHealth>();
            foreach (var (family, state) in _families)
            {
                var healthy = state.Oldest is not { } queued || now - queued < _limit;
                families.Add(family, new FamilyHealth(state.LastUpdated, healthy)
                {
                    WaitingSince = state.Oldest, LastError = state.Error, IsLate = now - state.Oldest > _late,
                });
            }

            return new ProxyHealthReport
            {
                CurrentTime = now,
                LastUpdated = families.Count == 0 ? DateTimeOffset.MinValue : families.Values.Max(family => family.LastUpdated),
                Healthy = families.Values.All(family => family.Healthy),
                NodeEligible = _nodeEligible,
                Families = families,
                Unprogrammed = [.. _unprogrammed],
            };
        }
    }

    /// <summary>These families are to be programmed.</summary>
    internal void Expect(IEnumerable<IpFamily> families)
    {
        lock (_gate) _unprogrammed.UnionWith(families);
    }

    internal void Change(TimeSpan syncPeriod, TimeSpan minSyncPeriod)
    {
        lock (_gate) (_limit, _late) = (2 * syncPeriod, minSyncPeriod + UsualTime);
    }

    internal void SetNodeEligible(bool eligible)
    {
        lock (_gate) _nodeEligible = eligible;
    }

    /// <summary>The family's loop has begun.</summary>
    internal void Start(IpFamily family)
    {
        lock (_gate) _families[family] = new FamilyState { LastUpdated = _time.GetUtcNow() };
    }

    /// <summary>There is something to sync.</summary>
    internal void Queue(IpFamily family)
    {
        lock (_gate)
        {
            if (_families.TryGetValue(family, out var state)) state.Queued ??= _time.GetUtcNow();
        }
    }

    /// <summary>A sync begins and takes what is queued. Returns since when that waited.</summary>
    internal DateTimeOffset? Begin(IpFamily family)
    {
        lock (_gate)
        {
            if (!_families.TryGetValue(family, out var state)) return null;
            state.InSync = state.Oldest;
            state.Queued = null;
            return state.InSync;
        }
    }

    /// <summary>The sync failed: what it took waits on, and a check that found nothing to do waits from now on.</summary>
    internal void Fail(IpFamily family, string error)
    {
        lock (_gate)
        {
            if (!_families.TryGetValue(family, out var state)) return;
            state.InSync ??= _time.GetUtcNow();
            state.Error = error;
        }
    }

    /// <summary>The sync succeeded: what it took is in force.</summary>
    internal void Succeed(IpFamily family)
    {
        lock (_gate)
        {
            if (!_families.TryGetValue(family, out var state)) return;
            state.InSync = null;
            state.Error = null;
            state.LastUpdated = _time.GetUtcNow();
            _unprogrammed.Remove(family);
        }
    }

    private sealed class FamilyState
    {
        public DateTimeOffset LastUpdated { get; set; }

        public DateTimeOffset? Queued { get; set; }

        public DateTimeOffset? InSync { get; set; }

        public string? Error { get; set; }

        public DateTimeOffset? Oldest => InSync ?? Queued;
    }
}

/// <summary>The health of one family.</summary>
/// <param name="LastUpdated">The last successful sync, or the start.</param>
/// <param name="Healthy">Whether it keeps up.</param>
public readonly record struct FamilyHealth(DateTimeOffset LastUpdated, bool Healthy)
{
    /// <summary>Since when the oldest change waits that is not in force; null when all are.</summary>
    public DateTimeOffset? WaitingSince { get; init; }

    /// <summary>
    /// Whether that is longer than usual: what the kernel holds is not what was last asked for. Other than <see cref="Healthy"/> it says nothing
    /// about the proxy, which may be busy with much.
    /// </summary>
    public bool IsLate { get; init; }

    /// <summary>Why the last sync failed; null when it succeeded, and before the first.</summary>
    public string? LastError { get; init; }
}

/// <summary>The health of the proxy at a moment: what <c>/healthz</c> and <c>/livez</c> tell.</summary>
public sealed record ProxyHealthReport
{
    /// <summary>The moment.</summary>
    public required DateTimeOffset CurrentTime { get; init; }

    /// <summary>The last successful sync over all families; <see cref="DateTimeOffset.MinValue"/> if there was none.</summary>
    public required DateTimeOffset LastUpdated { get; init; }

    /// <summary>Whether every family keeps up.</summary>
    public required bool Healthy { get; init; }

    /// <summary>Whether load balancers should send traffic to this node: it is known and neither being deleted nor about to be.</summary>
    public required bool NodeEligible { get; init; }

    /// <summary>The families whose loop has begun.</summary>
    public required IReadOnlyDictionary<IpFamily, FamilyHealth> Families { get; init; }

    /// <summary>
    /// The families of which nothing has been programmed since the start: what the kernel does with Services, if anything, is what an
    /// earlier process left.
    /// </summary>
    public IReadOnlyList<IpFamily> Unprogrammed { get; init; } = [];
}
