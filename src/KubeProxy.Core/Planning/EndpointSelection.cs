using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>Which endpoints of a service port get traffic, by <see cref="EndpointRules"/>. Order of the input is kept.</summary>
internal readonly ref struct EndpointSelection
{
    private readonly ReadOnlySpan<EndpointState> _endpoints;
    private readonly EndpointRules _rules;

    /// <summary>Looks at all endpoints.</summary>
    /// <param name="endpoints">All endpoints of the port, sorted by target, each target once.</param>
    /// <param name="zone">The zone of this node; null or empty when unknown.</param>
    public EndpointSelection(ReadOnlySpan<EndpointState> endpoints, string? zone)
    {
        _endpoints = endpoints;
        _rules = new EndpointRules(endpoints, zone);
        foreach (ref readonly var endpoint in endpoints)
        {
            if (IsForCluster(endpoint)) ClusterCount++;
            if (IsForLocal(endpoint)) LocalCount++;
        }
    }

    /// <summary>How many there are for traffic that may leave the node.</summary>
    public int ClusterCount { get; }

    /// <summary>How many there are for traffic that has to stay on the node.</summary>
    public int LocalCount { get; }

    /// <summary>Whether any endpoint anywhere could take traffic.</summary>
    public bool AnyUsable => _rules.AnyUsable;

    /// <summary>Those for traffic that may leave the node.</summary>
    public ImmutableArray<IpEndpoint> ForCluster()
    {
        var result = ImmutableArray.CreateBuilder<IpEndpoint>(ClusterCount);
        foreach (ref readonly var endpoint in _endpoints)
            if (IsForCluster(endpoint)) result.Add(endpoint.Target);
        return result.MoveToImmutable();
    }

    /// <summary>Those for traffic that has to stay on the node.</summary>
    public ImmutableArray<IpEndpoint> ForLocal()
    {
        var result = ImmutableArray.CreateBuilder<IpEndpoint>(LocalCount);
        foreach (ref readonly var endpoint in _endpoints)
            if (IsForLocal(endpoint)) result.Add(endpoint.Target);
        return result.MoveToImmutable();
    }

    /// <summary>Addresses that may be on this node among those that are used, sorted, each once.</summary>
    /// <param name="usesCluster">Whether those of <see cref="ForCluster"/> are used.</param>
    /// <param name="usesLocal">Whether those of <see cref="ForLocal"/> are used.</param>
    public ImmutableArray<IpAddr> AddressesThatMayBeHere(bool usesCluster, bool usesLocal)
    {
        List<IpAddr>? result = null;
        foreach (ref readonly var endpoint in _endpoints)
        {
            var isUsed = (usesCluster && endpoint.MayBeLocal && IsForCluster(endpoint)) || (usesLocal && IsForLocal(endpoint));
            // Sorted by target, ports of one address follow each other.
            if (isUsed && (result is null || result[^1] != endpoint.Target.Address)) (result ??= []).Add(endpoint.Target.Address);
        }

        return result is null ? [] : [.. result];
    }

    private bool IsForCluster(in EndpointState endpoint) => _rules.JudgeForCluster(endpoint).IsIn();

    private bool IsForLocal(in EndpointState endpoint) => _rules.JudgeForLocal(endpoint).IsIn();
}
