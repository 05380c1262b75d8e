using System.Collections.Concurrent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// Which frontend leads to which service port. Written by one thread, read by those of the relay. Frontends come before the
/// kernel sends connections to them, and go after it stopped.
/// </summary>
internal sealed class RelayTable(TimeProvider time, int maxAffinityClients)
{
    private readonly ConcurrentDictionary<FrontendKey, RelayTarget> _targets = new();
    private readonly ConcurrentDictionary<ServicePortName, RelayService> _services = new();
    private readonly Dictionary<ServicePortName, HashSet<FrontendKey>> _frontends = [];
    private readonly List<(ServicePortName Service, FrontendKey Key)> _gone = [];
    private readonly List<ServicePortName> _removed = [];
    private volatile int _version;

    /// <summary>Changes with each change: what was found before has then to be looked up again.</summary>
    public int Version => _version;

    /// <summary>The service ports.</summary>
    public IEnumerable<RelayService> Services => _services.Select(pair => pair.Value);

    /// <summary>How many service ports there are.</summary>
    public int ServiceCount => _services.Count;

    /// <summary>Where connections to an address and port go; null if nowhere.</summary>
    public RelayTarget? Find(Protocol protocol, IpEndpoint destination)
    {
        if (_targets.TryGetValue(new FrontendKey(destination.Address, protocol, destination.Port), out var target)) return target;
        return _targets.GetValueOrDefault(new FrontendKey(null, protocol, destination.Port));
    }

    /// <summary>Takes a plan in. Frontends that it no longer has stay until <see cref="Prune"/>.</summary>
    public void Set(ServicePortPlan plan)
    {
        if (_services.TryGetValue(plan.Name, out var service)) service.Update(plan);
        else _services[plan.Name] = service = new RelayService(plan, time, maxAffinityClients);
        var wanted = new HashSet<FrontendKey>();
        foreach (var frontend in plan.Frontends)
        {
            if (!Leads(frontend)) continue;
            wanted.Add(frontend.Key);
            _targets[frontend.Key] = new RelayTarget(service, frontend.Destination);
        }

        if (_frontends.TryGetValue(plan.Name, out var before) && !before.IsSubsetOf(wanted))
        {
            before.ExceptWith(wanted);
            _gone.AddRange(before.Select(key => (plan.Name, key)));
        }

        _frontends[plan.Name] = wanted;
        _version++;
    }

    /// <summary>Takes a service port out, with the next <see cref="Prune"/>.</summary>
    public void Remove(ServicePortName name)
    {
        _removed.Add(name);
        if (_frontends.Remove(name, out var before)) _gone.AddRange(before.Select(key => (name, key)));
    }

    /// <summary>Drops what is no longer wanted.</summary>
    public void Prune()
    {
        foreach (var (service, key) in _gone)
        {
            if (_frontends.TryGetValue(service, out var wanted) && wanted.Contains(key)) continue;
            // Another service port may have taken it over.
            if (_targets.TryGetValue(key, out var target) && target.Service.Name == service) _targets.TryRemove(key, out _);
        }

        foreach (var name in _removed)
            if (!_frontends.ContainsKey(name)) _services.TryRemove(name, out _);
        if (_gone.Count + _removed.Count > 0) _version++;
        _gone.Clear();
        _removed.Clear();
    }

    /// <summary>
    /// Whether connections to the frontend come to the relay: it knows their protocol, and they are not all refused or dropped
    /// by rules.
    /// </summary>
    public static bool Leads(Frontend frontend) => frontend.Key.Protocol is Protocol.Tcp or Protocol.Udp && frontend.HasEndpoints;
}
