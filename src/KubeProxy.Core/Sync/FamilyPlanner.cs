using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KubeProxy.Core.Health;
using KubeProxy.Core.History;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Tracking;

namespace KubeProxy.Core.Sync;

/// <summary>
/// Keeps the plans of one family up to date. Only Services marked since the last time are planned again, and those that win or
/// lose a frontend by it. Not thread-safe: everything happens under the lock of <see cref="ClusterState"/>.
/// </summary>
internal sealed class FamilyPlanner(IpFamily family, Trackers trackers)
{
    private readonly Dictionary<NamespacedName, ServicePortPlan[]> _plans = [];
    private readonly SortedDictionary<NamespacedName, ServiceHealth> _health = [];
    private readonly FrontendArbiter _arbiter = new();
    private readonly List<EndpointState> _endpoints = [];
    private readonly List<FrontendKey> _keys = [];
    private Dictionary<NamespacedName, Pending> _pending = [];
    private List<DateTimeOffset> _triggerTimes = [];
    private ImmutableArray<ServiceHealth> _healthSnapshot = [];
    private NodePlan? _node;

    // What has changed since the last batch; the rest is counted only.
    private List<ChangeCause> _causes = [];
    private int _causeCount;

    // What has been planned and not been taken.
    private Planned? _untaken;

    /// <summary>Trigger times are for a histogram; while syncs fail they must not pile up.</summary>
    private const int MaxTriggerTimes = 10_000;

    [Flags]
    internal enum Pending : byte
    {
        Service = 1,
        Endpoints = 2,
    }

    public IpFamily Family => family;

    /// <summary>Called when something is marked.</summary>
    public Action? Marked { get; set; }

    /// <summary>Grows with every mark: a batch with this version holds everything marked before.</summary>
    public long Version { get; private set; }

    public int PortCount { get; private set; }

    public int ServiceCount => _plans.Count;

    /// <summary>Service ports with policy Local and endpoints on other nodes only.</summary>
    public int InternalWithoutLocal { get; private set; }

    /// <summary>The same for the external policy.</summary>
    public int ExternalWithoutLocal { get; private set; }

    public FrontendArbiter Arbiter => _arbiter;

    /// <summary>The node's plan.</summary>
    public NodePlan Node => new()
    {
        Family = family,
        NodePortAddresses = trackers.NodePortAddresses.Resolve(family, trackers.Node.Topology),
        NamesLocalhost = trackers.NodePortAddresses.NamesLocalhost(family),
        ServiceCidrs = trackers.ServiceCidrs.Of(family),
    };

    /// <summary>Of each Service with a health check node port, as of what is planned.</summary>
    public ImmutableArray<ServiceHealth> Health => _healthSnapshot;

    /// <summary>All current plans, sorted by name.</summary>
    public IReadOnlyList<ServicePortPlan> Plans => [.. _plans.Values.SelectMany(plans => plans).OrderBy(plan => plan.Name)];

    public int CountPending(Pending kind) => _pending.Values.Count(value => (value & kind) != 0);

    public void Mark(NamespacedName service, Pending kind)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_pending, service, out _) |= kind;
        Touch();
    }

    /// <summary>The node's plan may be another; the Services' plans are not.</summary>
    public void MarkNode() => Touch();

    /// <summary>Notes what changed, for the history.</summary>
    public void Note(in ChangeCause cause)
    {
        _causeCount++;
        if (_causes.Count < ChangeRecord.MostCauses) _causes.Add(cause);
    }

    public void AddTriggerTime(DateTimeOffset time)
    {
        if (_triggerTimes.Count < MaxTriggerTimes) _triggerTimes.Add(time);
    }

    /// <summary>Plans what is marked, and returns what has changed since the last time.</summary>
    public PlanBatch Take()
    {
        PlanAhead();
        var (updated, removed) = _untaken ?? new Planned([], []);
        _untaken = null;
        var node = TakeNode();
        var times = _triggerTimes;
        _triggerTimes = [];
        var (causes, count) = (_causes, _causeCount);
        (_causes, _causeCount) = ([], 0);
        return new PlanBatch(new PlanChanges { Node = node, Updated = updated, Removed = removed }, Version, times, _healthSnapshot) { Causes = causes, CauseCount = count };
    }

    /// <summary>Plans what is marked; <see cref="Take"/> returns it later.</summary>
    public void PlanAhead()
    {
        if (_pending.Count == 0) return;
        var planned = PlanMarked();
        _untaken = _untaken is { } before ? before.Then(planned) : planned;
    }

    /// <summary>The plan of a service port; null when there is none.</summary>
    public ServicePortPlan? Find(ServicePortName name) => Find(_plans.GetValueOrDefault(name.Service, []), name);

    private Planned PlanMarked()
    {
        // At a start everything is planned at once, and tables that grow meanwhile cost more than what is put into them.
        if (_pending.Count > _plans.Count)
        {
            _plans.EnsureCapacity(_pending.Count);
            _arbiter.EnsureCapacity(_pending.Count);
        }

        var planned = PlanPending();
        var updated = new List<ServicePortPlan>(planned.Count);
        var removed = new List<ServicePortName>();
        foreach (var (service, plans) in planned) Store(service, plans, updated, removed);
        return new Planned(updated, removed);
    }

    private void Touch()
    {
        Version++;
        Marked?.Invoke();
    }

    private Dictionary<NamespacedName, ServicePortPlan[]> PlanPending()
    {
        var pending = _pending;
        _pending = [];
        var planned = new Dictionary<NamespacedName, ServicePortPlan[]>(pending.Count);
        var affected = new HashSet<ServicePortName>();
        foreach (var service in pending.Keys)
        {
            var plans = PlanService(service);
            planned.Add(service, plans);
            foreach (var old in _plans.GetValueOrDefault(service, []))
            {
                if (Find(plans, old.Name) is null) _arbiter.Release(old.Name, affected);
            }

            foreach (var plan in plans) Claim(plan, affected);
        }

        foreach (var owner in affected)
        {
            if (!planned.ContainsKey(owner.Service)) planned.Add(owner.Service, PlanService(owner.Service));
        }

        UpdateHealth(pending.Keys);
        return planned;
    }

    private ServicePortPlan[] PlanService(NamespacedName name)
    {
        if (!trackers.Services.TryGet(name, out var service) || service.AddressesOf(family) is null)
        {
            CheckVirtualIps(name, []);
            return [];
        }

        var plans = new ServicePortPlan[service.Ports.Length];
        for (var i = 0; i < plans.Length; i++)
        {
            var port = service.Ports[i];
            trackers.Slices.Collect(name, port.Name, port.Protocol, family, _endpoints);
            plans[i] = ServicePortPlanner.Plan(service, port, family, CollectionsMarshal.AsSpan(_endpoints), trackers.Node.Topology);
        }

        CheckVirtualIps(name, plans);
        return plans;
    }

    /// <summary>Takes the frontends away whose addresses the Service may not have.</summary>
    private void CheckVirtualIps(NamespacedName service, ServicePortPlan[] plans)
    {
        var found = new ProblemList(ObjectKind.Service, service);
        for (var i = 0; i < plans.Length; i++)
        {
            HashSet<FrontendKey>? refused = null;
            foreach (var frontend in plans[i].Frontends)
            {
                var isAllowed = trackers.VirtualIps.Allows(frontend, out var problem);
                if (problem is not null) found.Add(FieldOf(frontend.Kind), $"port '{plans[i].Name.PortName}': {problem}");
                if (!isAllowed) (refused ??= []).Add(frontend.Key);
            }

            if (refused is not null) plans[i] = plans[i].WithFrontends(key => !refused.Contains(key));
        }

        trackers.Problems.Set(family == IpFamily.IPv4 ? ProblemOrigin.AddressesIPv4 : ProblemOrigin.AddressesIPv6, ObjectKind.Service, service, found.ToList());
    }

    private static string FieldOf(FrontendKind kind) => kind switch
    {
        FrontendKind.ClusterIP => "spec.clusterIPs",
        FrontendKind.ExternalIP => "spec.externalIPs",
        FrontendKind.LoadBalancerIP => "status.loadBalancer.ingress",
        _ => "spec.ports.nodePort",
    };

    private void Claim(ServicePortPlan plan, HashSet<ServicePortName> affected)
    {
        _keys.Clear();
        foreach (var frontend in plan.Frontends) _keys.Add(frontend.Key);
        _arbiter.Claim(plan.Name, plan.CreatedAt, CollectionsMarshal.AsSpan(_keys), affected);
    }

    /// <summary>Takes the frontends away that others won, keeps the plans, and notes what is different from before.</summary>
    private void Store(NamespacedName service, ServicePortPlan[] plans, List<ServicePortPlan> updated, List<ServicePortName> removed)
    {
        var before = _plans.GetValueOrDefault(service, []);
        var lost = new ProblemList(ObjectKind.Service, service);
        for (var i = 0; i < plans.Length; i++)
        {
            Report(plans[i], lost);
            plans[i] = plans[i].WithFrontends(key => _arbiter.WinnerOf(key) == plans[i].Name);
            if (Find(before, plans[i].Name) is { } same && same == plans[i]) plans[i] = same;
            else updated.Add(plans[i]);
        }

        foreach (var old in before)
        {
            if (Find(plans, old.Name) is null) removed.Add(old.Name);
            Count(old, -1);
        }

        foreach (var plan in plans) Count(plan, 1);
        if (plans.Length == 0) _plans.Remove(service);
        else _plans[service] = plans;
        var origin = family == IpFamily.IPv4 ? ProblemOrigin.ConflictIPv4 : ProblemOrigin.ConflictIPv6;
        trackers.Problems.Set(origin, ObjectKind.Service, service, lost.ToList());
    }

    private void Report(ServicePortPlan plan, ProblemList lost)
    {
        foreach (var frontend in plan.Frontends)
        {
            if (_arbiter.WinnerOf(frontend.Key) is not { } winner || winner == plan.Name) continue;
            lost.Add(FieldOf(frontend.Kind), $"port '{plan.Name.PortName}': {family} {frontend.Key} belongs to {winner}, which is older or first by name; "
                + "left out until that is gone");
        }
    }

    private void Count(ServicePortPlan plan, int sign)
    {
        PortCount += sign;
        if (plan.Frontends.Any(frontend => frontend.Kind == FrontendKind.ClusterIP && frontend.Destination == Destination.Drop))
            InternalWithoutLocal += sign;
        if (plan.Frontends.Any(frontend => frontend.Kind != FrontendKind.ClusterIP && frontend.Destination == Destination.Drop))
            ExternalWithoutLocal += sign;
    }

    private static ServicePortPlan? Find(ServicePortPlan[] plans, ServicePortName name)
    {
        foreach (var plan in plans)
        {
            if (plan.Name == name) return plan;
        }

        return null;
    }

    private void UpdateHealth(IEnumerable<NamespacedName> services)
    {
        var changed = false;
        foreach (var name in services)
        {
            if (trackers.Services.TryGet(name, out var service) && service.HealthCheckNodePort != 0
                && service.AddressesOf(family) is not null)
            {
                var count = trackers.Slices.CountLocalReady(name, family);
                var health = new ServiceHealth(name, family, service.HealthCheckNodePort, count);
                changed |= !_health.TryGetValue(name, out var before) || before != health;
                _health[name] = health;
            }
            else
            {
                changed |= _health.Remove(name);
            }
        }

        if (changed) _healthSnapshot = [.. _health.Values];
    }

    private NodePlan? TakeNode()
    {
        var node = Node;
        return node == _node ? null : _node = node;
    }

    /// <summary>What planning has changed.</summary>
    private readonly record struct Planned(List<ServicePortPlan> Updated, List<ServicePortName> Removed)
    {
        /// <summary>Both, where the later counts.</summary>
        public Planned Then(Planned later)
        {
            var last = new Dictionary<ServicePortName, ServicePortPlan?>();
            foreach (var (updated, removed) in (ReadOnlySpan<Planned>)[this, later])
            {
                foreach (var name in removed) last[name] = null;
                foreach (var plan in updated) last[plan.Name] = plan;
            }

            return new Planned([.. last.Values.OfType<ServicePortPlan>()], [.. last.Where(entry => entry.Value is null).Select(entry => entry.Key)]);
        }
    }
}
