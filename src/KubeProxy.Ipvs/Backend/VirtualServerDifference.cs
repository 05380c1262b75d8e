using System.Collections.Immutable;
using KubeProxy.Core.Model;
using static KubeProxy.Ipvs.IpvsOperation;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// What has to be done to a virtual service, and what the kernel has then. A TCP destination that is no longer wanted keeps its
/// connections: it gets weight 0, and is deleted when it has none left. UDP has no end of a connection to wait for, and SCTP endpoints
/// look after themselves by their other addresses; their destinations go at once.
/// </summary>
internal static class VirtualServerDifference
{
    /// <summary>Adds the operations that lead from one state to the other.</summary>
    /// <param name="found">What the kernel has; null for nothing.</param>
    /// <param name="wanted">What it should have; null for nothing, and then connections end.</param>
    /// <param name="operations">Gets the operations.</param>
    /// <returns>What the kernel has when they are done; null for nothing.</returns>
    public static VirtualServer? Write(VirtualServer? found, VirtualServer? wanted, List<IpvsOperation> operations)
    {
        var retired = found is null || wanted is null ? [] : found.All.Except(wanted.Endpoints).Order().ToImmutableArray();
        var draining = wanted?.Service.Key.Protocol == Protocol.Tcp ? retired : [];
        if (wanted is null || (wanted.IsEmpty && draining.IsEmpty))
        {
            if (found is not null) operations.Add(new DeleteService(found.Service.Key));
            return null;
        }

        var key = wanted.Service.Key;
        if (found is null) operations.Add(new AddService(wanted.Service));
        else if (found.Service != wanted.Service) operations.Add(new SetService(wanted.Service));
        foreach (var endpoint in retired)
        {
            if (draining.IsEmpty) operations.Add(new DeleteDestination(key, endpoint));
            else if (!found!.IsDraining(endpoint)) operations.Add(new SetDestination(key, VirtualServer.Destination(endpoint, 0)));
        }

        foreach (var endpoint in wanted.Endpoints)
        {
            if (found?.IsInUse(endpoint) == true) continue;
            var destination = VirtualServer.Destination(endpoint, VirtualServer.FullWeight);
            operations.Add(found?.Has(endpoint) == true ? new SetDestination(key, destination) : new AddDestination(key, destination));
        }

        return wanted with { Draining = draining };
    }
}
