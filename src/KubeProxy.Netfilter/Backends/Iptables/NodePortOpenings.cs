using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>On which addresses node ports are open.</summary>
/// <param name="family">The family.</param>
/// <param name="localhostNodePorts">Whether loopback addresses are wanted among them.</param>
internal sealed class NodePortOpenings(IpFamily family, bool localhostNodePorts)
{
    private static readonly IpAddr Localhost = IpAddr.Parse("127.0.0.1");

    /// <summary>Whether node ports are open on loopback addresses: IPv4 only, and only where the blocks include them.</summary>
    public bool OnLocalhost(NodePlan node) => localhostNodePorts && family == IpFamily.IPv4
        && (node.NodePortAddresses.IsEmpty || node.NodePortAddresses.Any(block => block.Contains(Localhost)));

    /// <summary>The addresses, sorted; null for every address of the node.</summary>
    public IEnumerable<IpAddr>? Addresses(NodePlan node, LocalAddresses addresses) => node.NodePortAddresses.IsEmpty
        ? null
        : addresses.Current.Where(address => Accepts(node, addresses, address)).Order();

    /// <summary>Whether node ports are open on the address.</summary>
    public bool Accepts(NodePlan node, LocalAddresses addresses, IpAddr address) => address.Family == family
        && (!address.IsLoopback || OnLocalhost(node))
        && addresses.Contains(address)
        && (node.NodePortAddresses.IsEmpty || node.NodePortAddresses.Any(block => block.Contains(address)));
}
