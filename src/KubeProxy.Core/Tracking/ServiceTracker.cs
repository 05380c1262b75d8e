using System.Diagnostics.CodeAnalysis;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>The Services to be proxied. Not thread-safe.</summary>
internal sealed class ServiceTracker(bool allowExternalIPs, IReadOnlyDictionary<Protocol, string> unservedProtocols, ProblemRegistry problems)
{
    private readonly Dictionary<NamespacedName, ServiceDefinition> _services = [];
    private readonly Dictionary<NamespacedName, NotProxied> _others = [];

    public int Count => _services.Count;

    public IReadOnlyCollection<NamespacedName> Names => _services.Keys;

    /// <summary>Also of those that are not proxied.</summary>
    public IEnumerable<NamespacedName> AllNames => _services.Keys.Concat(_others.Keys);

    /// <summary>Those that are proxied.</summary>
    public IEnumerable<ServiceDefinition> All => _services.Values;

    /// <summary>Why a Service that is known is not proxied; null when it is, or is not known.</summary>
    public NotProxied? WhyNot(NamespacedName name) => _others.TryGetValue(name, out var reason) ? reason : null;

    /// <summary>Those with external or load-balancer IPs.</summary>
    public IEnumerable<NamespacedName> NamesWithVirtualIps =>
        _services.Values.Where(service => HasVirtualIps(service.IPv4) || HasVirtualIps(service.IPv6)).Select(service => service.Name);

    /// <summary>Takes a Service over; returns whether anything that matters changed.</summary>
    public bool Upsert(Service service)
    {
        var found = new ProblemList(ObjectKind.Service, service.Name);
        var definition = ServiceReading.Read(service, allowExternalIPs, unservedProtocols, found);
        problems.Set(ProblemOrigin.Content, ObjectKind.Service, service.Name, found.ToList());
        if (definition is null)
        {
            _others[service.Name] = ServiceReading.WhyNot(service) ?? NotProxied.Unusable;
            return _services.Remove(service.Name);
        }

        _others.Remove(service.Name);
        if (_services.TryGetValue(definition.Name, out var before) && before == definition) return false;
        _services[definition.Name] = definition;
        return true;
    }

    /// <summary>Forgets a Service; returns whether it was there.</summary>
    public bool Delete(NamespacedName name)
    {
        problems.Set(ProblemOrigin.Content, ObjectKind.Service, name, []);
        _others.Remove(name);
        return _services.Remove(name);
    }

    public bool TryGet(NamespacedName name, [NotNullWhen(true)] out ServiceDefinition? service) => _services.TryGetValue(name, out service);

    private static bool HasVirtualIps(ServiceAddresses? addresses) => addresses is { ExternalIPs.IsEmpty: false } or { LoadBalancerIPs.IsEmpty: false };
}
