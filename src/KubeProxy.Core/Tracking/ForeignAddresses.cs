using System.Collections.Immutable;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Tracking;

/// <summary>
/// Addresses that belong to somebody whom no Service may take for: other Nodes, and the API server (the endpoints of the Service
/// <c>default/kubernetes</c>). Not thread-safe.
/// </summary>
internal sealed class ForeignAddresses(string nodeName)
{
    private static readonly NamespacedName ServerName = new("default", "kubernetes");

    private readonly NamespacedName _own = new("", nodeName);
    private readonly Dictionary<NamespacedName, ImmutableArray<IpAddr>> _nodes = [];
    private readonly Dictionary<NamespacedName, ImmutableArray<IpAddr>> _servers = [];
    private Dictionary<IpAddr, string>? _owners;

    /// <summary>Whose the address is; null when it is nobody's, or this node's.</summary>
    public string? OwnerOf(IpAddr address) => (_owners ??= Owners()).GetValueOrDefault(address);

    /// <summary>Takes another node over; returns whether anything changed.</summary>
    public bool Upsert(Node node)
    {
        if (node.Name == _own) return false;
        var addresses = ImmutableArray.CreateBuilder<IpAddr>(node.Status.Addresses.Count);
        foreach (var each in node.Status.Addresses)
            if (IpAddr.TryParse(each.Address, out var address)) addresses.Add(address);
        return Set(_nodes, node.Name, addresses.DrainToImmutable());
    }

    /// <summary>Forgets a node; returns whether anything changed.</summary>
    public bool DeleteNode(NamespacedName name) => Set(_nodes, name, []);

    /// <summary>The other nodes that are known.</summary>
    public IReadOnlyCollection<NamespacedName> NodeNames => _nodes.Keys;

    /// <summary>Takes over what a slice is now; returns whether anything changed.</summary>
    public bool Update(TrackedSlice? before, TrackedSlice? after)
    {
        var changed = before?.Service == ServerName && after?.Service != ServerName && Set(_servers, before.Name, []);
        return after?.Service == ServerName ? Set(_servers, after.Name, [.. after.Endpoints.Select(endpoint => endpoint.Address)]) : changed;
    }

    private bool Set(Dictionary<NamespacedName, ImmutableArray<IpAddr>> all, NamespacedName name, ImmutableArray<IpAddr> addresses)
    {
        if (all.TryGetValue(name, out var before) ? before.AsSpan().SequenceEqual(addresses.AsSpan()) : addresses.IsEmpty) return false;
        if (addresses.IsEmpty) all.Remove(name);
        else all[name] = addresses;
        _owners = null;
        return true;
    }

    private Dictionary<IpAddr, string> Owners()
    {
        var owners = new Dictionary<IpAddr, string>();
        foreach (var addresses in _servers.Values)
            foreach (var address in addresses) owners.TryAdd(address, "the API server");
        foreach (var (name, addresses) in _nodes)
            foreach (var address in addresses) owners.TryAdd(address, $"Node {name.Name}");
        return owners;
    }
}
