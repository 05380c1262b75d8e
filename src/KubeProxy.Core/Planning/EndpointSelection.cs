using System.Runtime.InteropServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>Which endpoints of a service port get traffic, by <see cref="EndpointRules"/>. Order of the input is kept.</summary>
internal readonly struct EndpointSelection
{
    private EndpointSelection(List<EndpointState> cluster, List<EndpointState> local, bool anyUsable) =>
        (Cluster, Local, AnyUsable) = (cluster, local, anyUsable);

    /// <summary>For traffic that may leave the node.</summary>
    public List<EndpointState> Cluster { get; }

    /// <summary>For traffic that has to stay on the node.</summary>
    public List<EndpointState> Local { get; }

    /// <summary>Whether any endpoint anywhere could take traffic.</summary>
    public bool AnyUsable { get; }

    public static EndpointSelection Select(ReadOnlySpan<EndpointState> endpoints, string? zone)
    {
        var cluster = new List<EndpointState>(endpoints.Length);
        var local = new List<EndpointState>();
        var rules = new EndpointRules(endpoints, zone);
        foreach (ref readonly var endpoint in endpoints)
        {
            if (rules.JudgeForCluster(endpoint).IsIn()) cluster.Add(endpoint);
            if (rules.JudgeForLocal(endpoint).IsIn()) local.Add(endpoint);
        }

        return new EndpointSelection(cluster, local, rules.AnyUsable);
    }

    /// <summary>Addresses that may be on this node among all selected endpoints, sorted, each once.</summary>
    public SortedSet<IpAddr> AddressesThatMayBeHere()
    {
        var result = new SortedSet<IpAddr>();
        foreach (ref readonly var endpoint in CollectionsMarshal.AsSpan(Cluster))
        {
            if (endpoint.MayBeLocal) result.Add(endpoint.Target.Address);
        }

        foreach (ref readonly var endpoint in CollectionsMarshal.AsSpan(Local)) result.Add(endpoint.Target.Address);
        return result;
    }
}
