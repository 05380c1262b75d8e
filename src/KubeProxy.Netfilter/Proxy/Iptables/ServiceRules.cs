using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Proxy.Iptables;

/// <summary>The parts that the rules of one service port are made of.</summary>
internal sealed class ServiceRules
{
    private readonly ServicePortPlan _plan;
    private readonly ProtocolMatch _protocol;

    public ServiceRules(ServicePortPlan plan)
    {
        _plan = plan;
        _protocol = new ProtocolMatch(plan.Name.Protocol);
        var hash = ChainNames.Hash(plan.Name);
        Name = plan.Name.ToString();
        Cluster = ChainNames.OfCluster(hash);
        Local = ChainNames.OfLocal(hash);
        External = ChainNames.OfExternal(hash);
        LoadBalancer = ChainNames.OfLoadBalancer(hash);
    }

    /// <summary>The service port, as in comments.</summary>
    public string Name { get; }

    /// <summary>The name of the chain of all endpoints.</summary>
    public string Cluster { get; }

    /// <summary>The name of the chain of the endpoints on this node.</summary>
    public string Local { get; }

    /// <summary>The name of the chain of external traffic.</summary>
    public string External { get; }

    /// <summary>The name of the chain of source ranges.</summary>
    public string LoadBalancer { get; }

    /// <summary>Matches a frontend with an address.</summary>
    public IptablesRule To(Frontend frontend, string comment, IptablesTarget target) => new()
    {
        Destination = new AddressMatch(Cidr.Single(frontend.Key.Address!.Value)),
        Protocol = _protocol,
        Matches = [new CommentMatch(comment), Port(frontend)],
        Target = target,
    };

    /// <summary>Matches a node port; further matches stand between the comment and the port, or after it.</summary>
    public IptablesRule ToNodePort(Frontend frontend, string comment, IptablesTarget target, IptablesMatch? before = null, IptablesMatch? after = null) => new()
    {
        Protocol = _protocol,
        Matches = [.. new[] { new CommentMatch(comment), before, Port(frontend), after }.OfType<IptablesMatch>()],
        Target = target,
    };

    /// <summary>Accepts requests of load balancers for the health of the service.</summary>
    public IptablesRule HealthCheck() => new()
    {
        Protocol = new ProtocolMatch(Protocol.Tcp),
        Matches = [new CommentMatch($"{Name} health check node port"), new PortMatch(null, PortRange.Single(_plan.HealthCheckNodePort))],
        Target = IptablesTarget.Accept,
    };

    /// <summary>The rules of an endpoint's chain.</summary>
    public ImmutableArray<IptablesRule> Endpoint(string chain, IpEndpoint endpoint, CommentMatch? comment)
    {
        RecentMatch? remember = _plan.AffinityTimeout is null ? null : new RecentMatch(chain, RecentAction.Set);
        return
        [
            new IptablesRule
            {
                Source = new AddressMatch(Cidr.Single(endpoint.Address)),
                Matches = Some(comment),
                Target = MarkMasquerade,
            },
            new IptablesRule { Protocol = _protocol, Matches = Some(comment, remember, PortMatch.Any), Target = new DnatTarget(endpoint) },
        ];
    }

    /// <summary>The jump that asks for masquerading.</summary>
    public static VerdictTarget MarkMasquerade { get; } = IptablesTarget.Jump(ChainNames.MarkMasquerade);

    /// <summary>Those that are not null.</summary>
    public static ImmutableArray<IptablesMatch> Some(params ReadOnlySpan<IptablesMatch?> matches)
    {
        var some = ImmutableArray.CreateBuilder<IptablesMatch>(matches.Length);
        foreach (var match in matches)
            if (match is not null) some.Add(match);
        return some.ToImmutable();
    }

    private static PortMatch Port(Frontend frontend) => new(null, PortRange.Single(frontend.Key.Port));
}
