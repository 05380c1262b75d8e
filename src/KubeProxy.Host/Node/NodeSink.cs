using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;

namespace KubeProxy.Host.Node;

/// <summary>
/// Passes everything on to the engine and looks after this node's object. When the source has none, a stand-in with the
/// addresses of the interfaces takes its place, so that node ports have their addresses; it is marked as about to be removed,
/// because without a Node object nobody says that the node may have traffic from load balancers.
/// </summary>
/// <param name="inner">Takes the objects.</param>
/// <param name="nodeName">The name of this node.</param>
/// <param name="interfaceAddresses">Lists the addresses of the node's interfaces.</param>
/// <param name="watch">Is told about this node's object.</param>
internal sealed class NodeSink(IProxySink inner, string nodeName, Func<IReadOnlyList<IpAddr>> interfaceAddresses, NodeWatch watch) : IProxySink
{
    private const string RemovalTaint = "ToBeDeletedByClusterAutoscaler";

    private readonly NamespacedName _name = new("", nodeName);
    private volatile bool _seen;

    public void Upsert(KubernetesObject value)
    {
        inner.Upsert(value);
        if (value is Core.Kubernetes.Node node && node.Name == _name) Look(node);
    }

    public void Delete(ObjectKind kind, NamespacedName name)
    {
        inner.Delete(kind, name);
        if (kind == ObjectKind.Node && name == _name) watch.Forget();
    }

    public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values)
    {
        if (kind != ObjectKind.Node)
        {
            inner.Replace(kind, values);
            return;
        }

        var all = values.ToList();
        inner.Replace(kind, all);
        foreach (var node in all.OfType<Core.Kubernetes.Node>().Where(node => node.Name == _name)) Look(node);
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
        watch.Look(node);
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
