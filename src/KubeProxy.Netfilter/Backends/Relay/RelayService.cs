using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>One service port: chooses endpoints for its clients, and counts. Thread-safe.</summary>
internal sealed class RelayService
{
    private readonly AffinityClients _clients;
    private volatile Endpoints _endpoints;
    private int _next = Random.Shared.Next(); // Not all nodes begin with the same endpoint.

    public RelayService(ServicePortPlan plan, TimeProvider time, int maxAffinityClients)
    {
        Name = plan.Name;
        Family = plan.Family;
        _clients = new AffinityClients(time, maxAffinityClients);
        _endpoints = new Endpoints(plan);
    }

    public ServicePortName Name { get; }

    public IpFamily Family { get; }

    public RelayCounters Counters { get; } = new();

    /// <summary>How many clients are remembered for session affinity.</summary>
    public int AffinityClientCount => _clients.Count;

    /// <summary>Goes on with another plan. What clients stick to, the turn, and what was counted are kept.</summary>
    public void Update(ServicePortPlan plan)
    {
        var endpoints = new Endpoints(plan);
        _endpoints = endpoints;
        _clients.Keep(endpoints.Affinity is null ? ImmutableHashSet<IpEndpoint>.Empty : endpoints.InUse);
    }

    /// <summary>Chooses an endpoint: the one that the client sticks to, else the next in turn.</summary>
    /// <param name="localOnly">Only from endpoints on this node.</param>
    /// <param name="client">The client's address.</param>
    /// <param name="tried">Endpoints that were tried in vain.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <returns>False when there is no endpoint left.</returns>
    public bool TryChoose(bool localOnly, IpAddr client, ReadOnlySpan<IpEndpoint> tried, out IpEndpoint endpoint)
    {
        var endpoints = _endpoints;
        var list = localOnly ? endpoints.Local : endpoints.Cluster;
        if (endpoints.Affinity is not null && _clients.Find(client) is { } sticky
            && list.BinarySearch(sticky) >= 0 && !tried.Contains(sticky))
        {
            endpoint = sticky;
            return true;
        }

        for (var i = 0; i < list.Length; i++)
        {
            endpoint = list[(int)((uint)Interlocked.Increment(ref _next) % (uint)list.Length)];
            if (!tried.Contains(endpoint)) return true;
        }

        // Others took turns at the same time.
        foreach (var candidate in list)
        {
            endpoint = candidate;
            if (!tried.Contains(candidate)) return true;
        }

        endpoint = default;
        return false;
    }

    /// <summary>Whether there is an endpoint besides those.</summary>
    public bool HasOther(bool localOnly, ReadOnlySpan<IpEndpoint> tried)
    {
        var endpoints = _endpoints;
        foreach (var endpoint in localOnly ? endpoints.Local : endpoints.Cluster)
            if (!tried.Contains(endpoint)) return true;
        return false;
    }

    /// <summary>Notes that the client was sent to the endpoint.</summary>
    public void Reached(IpAddr client, IpEndpoint endpoint)
    {
        if (_endpoints.Affinity is { } timeout) _clients.Set(client, endpoint, timeout);
    }

    /// <summary>Notes that the client could not be sent to the endpoint.</summary>
    public void Failed(IpAddr client, IpEndpoint endpoint)
    {
        Counters.DialFailed();
        _clients.Remove(client, endpoint);
    }

    /// <summary>Whether UDP flows to the endpoint may go on, although it may get no new ones.</summary>
    public bool Serves(IpEndpoint endpoint) => _endpoints.Serving.Contains(endpoint);

    /// <summary>What a plan says of endpoints, in the form in which it is needed.</summary>
    private sealed class Endpoints(ServicePortPlan plan)
    {
        public ImmutableArray<IpEndpoint> Cluster { get; } = plan.ClusterEndpoints;

        public ImmutableArray<IpEndpoint> Local { get; } = plan.LocalEndpoints;

        public TimeSpan? Affinity { get; } = plan.AffinityTimeout;

        public HashSet<IpEndpoint> InUse { get; } = plan.AffinityTimeout is null ? [] : [.. plan.ClusterEndpoints, .. plan.LocalEndpoints];

        public HashSet<IpEndpoint> Serving { get; } = [.. plan.ServingEndpoints];
    }
}
