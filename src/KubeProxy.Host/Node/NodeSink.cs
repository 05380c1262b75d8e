using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Tracking;

namespace KubeProxy.Host.Node;

/// <summary>
/// Passes everything on to the engine and looks after this node's object. When the source has none, a stand-in with the
/// addresses of the interfaces takes its place, so that node ports have their addresses; it is marked as about to be removed,
/// because without a Node object nobody says that the node may have traffic from load balancers.
/// </summary>
/// <param name="inner">Takes the objects.</param>
/// <param name="nodeName">The name of this node.</param>
/// <param name="interfaceAddresses">Lists the addresses of the node's interfaces.</param>
/// <param name="podCidrsChanged">Called when the node's <c>spec.podCIDRs</c> are not what they first were; null not to look.</param>
internal sealed class NodeSink(
    IProxySink inner, string nodeName, Func<IReadOnlyList<IpAddr>> interfaceAddresses, Action<IReadOnlyList<string>>? podCidrsChanged) : IProxySink
{
    private const string RemovalTaint = "ToBeDeletedByClusterAutoscaler";

    private readonly NamespacedName _name = new("", nodeName);
    private IReadOnlyList<string>? _podCidrs;
    private volatile bool _seen;

    public void Upsert(KubernetesObject value)
    {
        if (value is Core.Kubernetes.Node node && node.Name == _name) Look(node);
        inner.Upsert(value);
    }

    public void Delete(ObjectKind kind, NamespacedName name) => inner.Delete(kind, name);

    public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values)
    {
        var all = values.ToList();
        foreach (var node in all.OfType<Core.Kubernetes.Node>().Where(node => node.Name == _name)) Look(node);
        inner.Replace(kind, all);
    }

    public void MarkSynced(ObjectKind kind)
    {
        if (kind == ObjectKind.Node && !_seen) inner.Upsert(StandIn());
        inner.MarkSynced(kind);
    }

    public void Report(string place, IReadOnlyList<ObjectProblem> problems) => inner.Report(place, problems);

    private void Look(Core.Kubernetes.Node node)
    {
        _seen = true;
        if (podCidrsChanged is null || node.Spec.PodCidrs.Count == 0) return;
        _podCidrs ??= node.Spec.PodCidrs;
        if (!_podCidrs.SequenceEqual(node.Spec.PodCidrs)) podCidrsChanged(node.Spec.PodCidrs);
    }

    private Core.Kubernetes.Node StandIn()
    {
        var addresses = interfaceAddresses();
        IpAddr?[] primary = [InterfaceAddresses.Primary(IpFamily.IPv4, addresses), InterfaceAddresses.Primary(IpFamily.IPv6, addresses)];
        return new Core.Kubernetes.Node
        {
            Metadata = new ObjectMeta { Name = nodeName },
            Spec = new NodeSpec { Taints = [new Taint { Key = RemovalTaint }] },
            Status = new NodeStatus { Addresses = [.. primary.OfType<IpAddr>().Select(address => new NodeAddress { Type = "InternalIP", Address = address.ToString() })] },
        };
    }
}
