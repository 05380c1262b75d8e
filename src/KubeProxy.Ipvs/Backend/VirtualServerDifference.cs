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
    /// <param name="room">How many operations of destinations may be added at most; with fewer than are needed, it is a step of the way.</param>
    /// <returns>What the kernel has when they are done; null for nothing.</returns>
    public static VirtualServer? Write(VirtualServer? found, VirtualServer? wanted, List<IpvsOperation> operations, int room = int.MaxValue)
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
        IpvsOperation[] needed = [.. Retire(key, found, retired, isDrained: !draining.IsEmpty), .. Use(key, found, wanted.Endpoints)];
        operations.AddRange(needed.Length <= room ? needed : needed[..room]);
        return needed.Length <= room ? wanted with { Draining = draining } : AfterStep(found ?? new VirtualServer(wanted.Service), wanted.Service, needed.AsSpan(0, room));
    }

    private static IEnumerable<IpvsOperation> Retire(VirtualServiceKey key, VirtualServer? found, IEnumerable<IpEndpoint> retired, bool isDrained) =>
        from endpoint in retired
        where !isDrained || !found!.IsDraining(endpoint)
        select isDrained ? new SetDestination(key, VirtualServer.Destination(endpoint, 0)) : (IpvsOperation)new DeleteDestination(key, endpoint);

    private static IEnumerable<IpvsOperation> Use(VirtualServiceKey key, VirtualServer? found, IEnumerable<IpEndpoint> wanted) =>
        from endpoint in wanted
        where found?.IsInUse(endpoint) != true
        let destination = VirtualServer.Destination(endpoint, VirtualServer.FullWeight)
        select found?.Has(endpoint) == true ? new SetDestination(key, destination) : (IpvsOperation)new AddDestination(key, destination);

    private static VirtualServer AfterStep(VirtualServer found, VirtualService service, ReadOnlySpan<IpvsOperation> done)
    {
        HashSet<IpEndpoint> used = [.. found.Endpoints], draining = [.. found.Draining], odd = [.. found.Odd];
        foreach (var operation in done)
        {
            (IpEndpoint, HashSet<IpEndpoint>?) outcome = operation switch
            {
                DeleteDestination delete => (delete.Endpoint, null),
                SetDestination set => (set.Value.Endpoint, set.Value.Weight == 0 ? draining : used),
                AddDestination add => (add.Value.Endpoint, used),
                _ => throw new ArgumentException("Not an operation of a destination.", nameof(done)),
            };
            var (endpoint, list) = outcome;
            used.Remove(endpoint);
            draining.Remove(endpoint);
            odd.Remove(endpoint);
            list?.Add(endpoint);
        }

        return new VirtualServer(service) { Endpoints = [.. used.Order()], Draining = [.. draining.Order()], Odd = [.. odd.Order()] };
    }
}
