using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>The EndpointSlices, by Service. Not thread-safe.</summary>
internal sealed class EndpointSliceTracker(string nodeName, ProblemRegistry problems)
{
    private readonly Dictionary<NamespacedName, TrackedSlice> _slices = [];
    private readonly Dictionary<NamespacedName, List<TrackedSlice>> _byService = [];
    private readonly List<EndpointState> _scratch = [];

    public int Count => _slices.Count;

    public int ServiceCount => _byService.Count;

    public IReadOnlyCollection<NamespacedName> Names => _slices.Keys;

    public int EndpointCount { get; private set; }

    /// <summary>Takes a slice over. Returns what was before and is now, the same twice when nothing that matters changed.</summary>
    public (TrackedSlice? Before, TrackedSlice? After) Upsert(EndpointSlice slice)
    {
        var found = new ProblemList(ObjectKind.EndpointSlice, slice.Name);
        var after = SliceReading.Read(slice, nodeName, found);
        problems.Set(ProblemOrigin.Content, ObjectKind.EndpointSlice, slice.Name, found.ToList());
        _slices.TryGetValue(slice.Name, out var before);
        if (Equals(before, after)) return (before, before);
        if (before is not null) Remove(before);
        if (after is not null) Add(after);
        return (before, after);
    }

    /// <summary>Forgets a slice; returns it, or null if it was not there.</summary>
    public TrackedSlice? Delete(NamespacedName name)
    {
        problems.Set(ProblemOrigin.Content, ObjectKind.EndpointSlice, name, []);
        if (!_slices.TryGetValue(name, out var slice)) return null;
        Remove(slice);
        return slice;
    }

    /// <summary>
    /// All endpoints of a service port, sorted by target, each target once. When a target is there several times (an endpoint that
    /// moves from slice to slice, two pods with the node's address during an update), the one that works best counts: ready, else
    /// serving and not terminating, else serving. Whatever the order of slices and endpoints.
    /// </summary>
    public void Collect(NamespacedName service, string portName, Protocol protocol, IpFamily family, List<EndpointState> result)
    {
        result.Clear();
        if (!_byService.TryGetValue(service, out var slices)) return;
        _scratch.Clear();
        foreach (var slice in slices)
        {
            if (slice.Family != family) continue;
            foreach (var port in slice.Ports)
            {
                if (port.Protocol == protocol && port.Name == portName) AddTo(_scratch, slice, port.Port);
            }
        }

        _scratch.Sort(static (left, right) =>
        {
            var byTarget = left.Target.CompareTo(right.Target);
            return byTarget != 0 ? byTarget : Preference(left, right);
        });
        foreach (var state in _scratch)
        {
            if (result.Count == 0 || result[^1].Target != state.Target) result.Add(state);
        }
    }

    /// <summary>All slices.</summary>
    public IEnumerable<TrackedSlice> All => _slices.Values;

    /// <summary>The slices of a Service in one family, sorted by name.</summary>
    public IEnumerable<TrackedSlice> Of(NamespacedName service, IpFamily family) =>
        _byService.TryGetValue(service, out var slices) ? slices.Where(slice => slice.Family == family) : [];

    /// <summary>The number of distinct addresses of ready endpoints on this node, over all ports of a Service.</summary>
    public int CountLocalReady(NamespacedName service, IpFamily family)
    {
        if (!_byService.TryGetValue(service, out var slices)) return 0;
        var addresses = new HashSet<IpAddr>();
        const EndpointFlags LocalReady = EndpointFlags.Local | EndpointFlags.Ready;
        foreach (var slice in slices)
        {
            if (slice.Family != family || slice.Ports.Length == 0) continue;
            foreach (var endpoint in slice.Endpoints)
            {
                if ((endpoint.Flags & LocalReady) == LocalReady) addresses.Add(endpoint.Address);
            }
        }

        return addresses.Count;
    }

    private static void AddTo(List<EndpointState> result, TrackedSlice slice, ushort port)
    {
        foreach (var endpoint in slice.Endpoints)
            result.Add(new EndpointState(new IpEndpoint(endpoint.Address, port), endpoint.Flags, endpoint.ZoneHints));
    }

    // Of two that work equally well it does not matter which one counts, but it has to be the same one always.
    private static int Preference(in EndpointState left, in EndpointState right)
    {
        var byUse = Use(right.Flags).CompareTo(Use(left.Flags));
        if (byUse != 0) return byUse;
        var byFlags = right.Flags.CompareTo(left.Flags);
        return byFlags != 0 ? byFlags : string.CompareOrdinal(left.ZoneHints, right.ZoneHints);
    }

    private static int Use(EndpointFlags flags) =>
        (flags & EndpointFlags.Ready) != 0 ? 3
        : (flags & EndpointFlags.Serving) == 0 ? 0
        : (flags & EndpointFlags.Terminating) == 0 ? 2 : 1;

    private void Add(TrackedSlice slice)
    {
        _slices[slice.Name] = slice;
        EndpointCount += slice.Endpoints.Length;
        if (!_byService.TryGetValue(slice.Service, out var slices)) _byService[slice.Service] = slices = new List<TrackedSlice>(1);
        var place = slices.FindIndex(other => other.Name > slice.Name);
        slices.Insert(place < 0 ? slices.Count : place, slice);
    }

    private void Remove(TrackedSlice slice)
    {
        _slices.Remove(slice.Name);
        EndpointCount -= slice.Endpoints.Length;
        var slices = _byService[slice.Service];
        slices.Remove(slice);
        if (slices.Count == 0) _byService.Remove(slice.Service);
    }
}
