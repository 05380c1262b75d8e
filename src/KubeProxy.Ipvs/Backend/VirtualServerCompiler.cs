using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Balanced;

namespace KubeProxy.Ipvs.Backend;

/// <summary>Compiles the plan of a service port to virtual services and the addresses that they need. Pure.</summary>
/// <param name="defaultScheduler">For Services that ask for none.</param>
internal sealed class VirtualServerCompiler(string defaultScheduler)
{
    /// <summary>The virtual services, also those of frontends that have no endpoints at present.</summary>
    public IEnumerable<VirtualServer> Servers(ServicePortPlan plan, NodeAddresses node)
    {
        foreach (var frontend in plan.Frontends)
        {
            var endpoints = plan.EndpointsOf(frontend.Destination);
            foreach (var address in AddressesOf(frontend, node))
                yield return new VirtualServer(Service(plan, new VirtualServiceKey(address, frontend.Key.Protocol, frontend.Key.Port))) { Endpoints = endpoints };
        }
    }

    /// <summary>
    /// The virtual addresses that have to be the node's, so that packets to them come to IPVS, or to the rules that refuse them. One
    /// that another interface has is there already, and stays there.
    /// </summary>
    public static IEnumerable<IpAddr> VirtualAddresses(ServicePortPlan plan, NodeAddresses node) =>
        plan.Frontends.Select(frontend => frontend.Key.Address).OfType<IpAddr>().Where(address => !node.All.Contains(address)).Distinct();

    private static ImmutableArray<IpAddr> AddressesOf(Frontend frontend, NodeAddresses node) =>
        frontend.Key.Address is { } address ? [address] : node.ForNodePorts;

    private VirtualService Service(ServicePortPlan plan, VirtualServiceKey key)
    {
        var scheduler = plan.Scheduler ?? defaultScheduler;
        return new VirtualService
        {
            Key = key,
            Scheduler = scheduler,
            // As upstream does: without the port, all connections of a client would go to one destination.
            Flags = scheduler == SchedulerNames.MaglevHashing ? VirtualServiceFlags.HashPort : VirtualServiceFlags.None,
            Persistence = plan.AffinityTimeout,
        };
    }
}
