using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>What is known of this node. Its deletion changes nothing: a node that has lost its object still has traffic.</summary>
internal sealed class NodeTracker(string nodeName, IReadOnlyList<IpAddr> givenAddresses, ProblemRegistry problems)
{
    private readonly NamespacedName _name = new("", nodeName);

    /// <summary>Zone and addresses.</summary>
    public NodeTopology Topology { get; private set; } = new(null, Given(givenAddresses, IpFamily.IPv4), Given(givenAddresses, IpFamily.IPv6));

    /// <summary>Whether load balancers should send traffic here: known, not being deleted, not about to be removed.</summary>
    public bool Eligible { get; private set; }

    /// <summary>Takes the node over; returns whether <see cref="Topology"/> changed. Other nodes are ignored.</summary>
    public bool Upsert(Node node)
    {
        if (node.Name != _name) return false;
        var found = new ProblemList(ObjectKind.Node, _name);
        var addresses = AddressesOf(node, found);
        CheckPodBlocks(node, found);
        problems.Set(ProblemOrigin.Content, ObjectKind.Node, _name, found.ToList());
        Eligible = node.Metadata.DeletionTimestamp is null && node.Spec.Taints.All(taint => taint.Key != WellKnownNames.ToBeDeletedTaint);
        var topology = new NodeTopology(
            node.Metadata.Label(WellKnownNames.ZoneLabel),
            Given(givenAddresses, IpFamily.IPv4) ?? Given(addresses, IpFamily.IPv4),
            Given(givenAddresses, IpFamily.IPv6) ?? Given(addresses, IpFamily.IPv6));
        if (topology == Topology) return false;
        Topology = topology;
        return true;
    }

    private static void CheckPodBlocks(Node node, ProblemList problems)
    {
        for (var i = 0; i < node.Spec.PodCidrs.Count; i++)
        {
            if (!Cidr.TryParse(node.Spec.PodCidrs[i], out _)) problems.Add($"spec.podCIDRs[{i}]", $"'{node.Spec.PodCidrs[i]}' is not an address block, and is ignored");
        }
    }

    private static IpAddr? Given(IReadOnlyList<IpAddr> addresses, IpFamily family)
    {
        foreach (var address in addresses)
        {
            if (address.Family == family) return address;
        }

        return null;
    }

    /// <summary>Internal addresses first, then external ones.</summary>
    private static List<IpAddr> AddressesOf(Node node, ProblemList problems)
    {
        var result = new List<IpAddr>();
        foreach (var type in (ReadOnlySpan<string>)["InternalIP", "ExternalIP"])
        {
            for (var i = 0; i < node.Status.Addresses.Count; i++)
            {
                if (node.Status.Addresses[i].Type != type) continue;
                if (IpAddr.TryParse(node.Status.Addresses[i].Address, out var address)) result.Add(address);
                else problems.Add($"status.addresses[{i}].address", $"'{node.Status.Addresses[i].Address}' is not an IP address");
            }
        }

        return result;
    }
}
