using System.Globalization;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.History;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Tracking;

namespace KubeProxy.Core.Sync;

/// <summary>The trackers of one engine.</summary>
internal sealed class Trackers(ProxyOptions options, ProblemRegistry problems)
{
    public ProblemRegistry Problems => problems;

    public ServiceTracker Services { get; } = new(options.AllowExternalIPs, options.UnservedProtocols, problems);

    public EndpointSliceTracker Slices { get; } = new(options.NodeName, problems);

    public NodeTracker Node { get; } = new(options.NodeName, options.NodeAddresses, problems);

    public ServiceCidrTracker ServiceCidrs { get; } = new(problems);

    public NodePortAddresses NodePortAddresses { get; set; } = options.NodePortAddresses;

    public ForeignAddresses ForeignAddresses { get; } = new(options.NodeName);

    public VirtualIpRules VirtualIps => field ??= new(options.VirtualIpRanges, options.VirtualIpsBecomeLocal, ForeignAddresses);
}

/// <summary>
/// What is known of the cluster, and which plans are out of date because of it. All under one lock, which is held for the time
/// of a change, and for the planning of what changed.
/// </summary>
internal sealed class ClusterState
{
    private readonly Lock _gate = new();
    private readonly Trackers _trackers;
    private readonly FamilyPlanner[] _families;
    private readonly DateTimeOffset _start;

    // Whether the source has delivered all EndpointSlices once. What it delivers before says how long this program, or its source,
    // was away, not how long programming takes.
    private bool _measuresProgramming;

    public ClusterState(ProxyOptions options, IEnumerable<IpFamily> families, ProblemRegistry problems, DateTimeOffset start)
    {
        _trackers = new Trackers(options, problems);
        _families = [.. families.Select(family => new FamilyPlanner(family, _trackers))];
        _start = start;
    }

    public IReadOnlyList<FamilyPlanner> Families => _families;

    public FamilyPlanner? Planner(IpFamily family) => Array.Find(_families, planner => planner.Family == family);

    /// <summary>Changes that mattered, since the start.</summary>
    public long ServiceChanges { get; private set; }

    /// <inheritdoc cref="ServiceChanges"/>
    public long EndpointChanges { get; private set; }

    /// <summary>Reads under the lock.</summary>
    public T Read<T>(Func<Trackers, T> read)
    {
        lock (_gate) return read(_trackers);
    }

    /// <summary>Explains a target, by plans of all that is known.</summary>
    /// <param name="target">The target.</param>
    /// <param name="masquerade">See <see cref="ClusterExplainer"/>.</param>
    public Explanation Explain(ExplainTarget target, Func<IpFamily, MasqueradePolicy?> masquerade)
    {
        lock (_gate)
        {
            foreach (var family in _families) family.PlanAhead();
            return new ClusterExplainer(_trackers, _families, masquerade).Explain(target);
        }
    }

    public void SetNodePortAddresses(NodePortAddresses addresses)
    {
        lock (_gate)
        {
            if (_trackers.NodePortAddresses == addresses) return;
            _trackers.NodePortAddresses = addresses;
            MarkNode();
        }
    }

    /// <summary>The source has delivered all EndpointSlices.</summary>
    public void BeginMeasuringProgramming()
    {
        lock (_gate) _measuresProgramming = true;
    }

    /// <summary>Plans what is marked, for the next <see cref="Take"/>.</summary>
    public void PlanAhead(FamilyPlanner family)
    {
        lock (_gate) family.PlanAhead();
    }

    public PlanBatch Take(FamilyPlanner family)
    {
        lock (_gate) return family.Take();
    }

    public void Upsert(KubernetesObject value)
    {
        lock (_gate)
        {
            switch (value)
            {
                case Service service:
                    if (!_trackers.Services.Upsert(service)) break;
                    MarkService(service.Name);
                    Note(value, service.Name);
                    break;
                case EndpointSlice slice:
                    var (before, after) = _trackers.Slices.Upsert(slice);
                    if (ReferenceEquals(before, after)) break;
                    MarkSlice(before);
                    MarkSlice(after);
                    Note(value, (after ?? before)?.Service, (after ?? before)?.Family);
                    if (_trackers.ForeignAddresses.Update(before, after)) MarkVirtualIps();
                    AddTriggerTime(slice, after);
                    break;
                case Node node:
                    if (_trackers.Node.Upsert(node))
                    {
                        MarkEverything();
                        Note(value, null);
                    }

                    if (_trackers.ForeignAddresses.Upsert(node)) MarkVirtualIps();
                    break;
                case ServiceCIDR cidr:
                    if (!_trackers.ServiceCidrs.Upsert(cidr)) break;
                    MarkNode();
                    Note(value, null);
                    break;
            }
        }
    }

    public void Delete(ObjectKind kind, NamespacedName name)
    {
        lock (_gate) DeleteLocked(kind, name);
    }

    /// <summary>Deletes all objects of the kind that are not among those named.</summary>
    public void DeleteOthers(ObjectKind kind, HashSet<NamespacedName> keep)
    {
        lock (_gate)
        {
            IEnumerable<NamespacedName> known = kind switch
            {
                ObjectKind.Service => _trackers.Services.AllNames,
                ObjectKind.EndpointSlice => _trackers.Slices.Names,
                ObjectKind.ServiceCIDR => _trackers.ServiceCidrs.Names,
                ObjectKind.Node => _trackers.ForeignAddresses.NodeNames,
                _ => [],
            };
            foreach (var name in known.Concat(_trackers.Problems.NamesOf(kind)).Where(name => !keep.Contains(name)).ToList())
                DeleteLocked(kind, name);
        }
    }

    private void DeleteLocked(ObjectKind kind, NamespacedName name)
    {
        switch (kind)
        {
            case ObjectKind.Service:
                if (!_trackers.Services.Delete(name)) break;
                MarkService(name);
                Note(new ChangeCause(kind, name, null, true, name));
                break;
            case ObjectKind.EndpointSlice:
                var deleted = _trackers.Slices.Delete(name);
                MarkSlice(deleted);
                if (deleted is not null) Note(new ChangeCause(kind, name, null, true, deleted.Service), deleted.Family);
                if (_trackers.ForeignAddresses.Update(deleted, null)) MarkVirtualIps();
                break;
            case ObjectKind.Node:
                if (_trackers.ForeignAddresses.DeleteNode(name)) MarkVirtualIps();
                break;
            case ObjectKind.ServiceCIDR:
                if (!_trackers.ServiceCidrs.Delete(name)) break;
                MarkNode();
                Note(new ChangeCause(kind, name, null, true, null));
                break;
        }
    }

    private void Note(KubernetesObject value, NamespacedName? service, IpFamily? only = null) =>
        Note(new ChangeCause(value.Kind, value.Name, value.Metadata.ResourceVersion, false, service), only);

    private void Note(in ChangeCause cause, IpFamily? only = null)
    {
        foreach (var family in _families)
            if (only is null || only == family.Family) family.Note(cause);
    }

    private void MarkService(NamespacedName name)
    {
        ServiceChanges++;
        foreach (var family in _families) family.Mark(name, FamilyPlanner.Pending.Service);
    }

    /// <summary>Services with addresses that may be somebody's.</summary>
    private void MarkVirtualIps()
    {
        foreach (var name in _trackers.Services.NamesWithVirtualIps)
            foreach (var family in _families) family.Mark(name, FamilyPlanner.Pending.Service);
    }

    private void MarkSlice(TrackedSlice? slice)
    {
        if (slice is null) return;
        EndpointChanges++;
        if (!_trackers.Services.TryGet(slice.Service, out _)) return;
        foreach (var family in _families)
        {
            if (family.Family == slice.Family) family.Mark(slice.Service, FamilyPlanner.Pending.Endpoints);
        }
    }

    private void MarkEverything()
    {
        foreach (var family in _families)
        {
            foreach (var name in _trackers.Services.Names) family.Mark(name, FamilyPlanner.Pending.Service);
        }

        MarkNode();
    }

    private void MarkNode()
    {
        foreach (var family in _families) family.MarkNode();
    }

    /// <summary>Changes from before the start would only tell how long this program did not run.</summary>
    private void AddTriggerTime(EndpointSlice slice, TrackedSlice? after)
    {
        if (!_measuresProgramming || after is null || slice.Metadata.Annotations is not { } annotations) return;
        var text = annotations.GetValueOrDefault(WellKnownNames.LastChangeTriggerTimeAnnotation);
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return;
        if (time < _start) return;
        foreach (var family in _families)
        {
            if (family.Family == after.Family) family.AddTriggerTime(time);
        }
    }
}
