using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The parts that the rules of one service port are made of.</summary>
internal sealed class ServiceRules
{
    public ServiceRules(ServicePortPlan plan)
    {
        Plan = plan;
        Protocol = new ProtocolMatch(plan.Name.Protocol);
        var hash = ChainNames.Hash(plan.Name);
        Name = plan.Name.ToString();
        Cluster = ChainNames.OfCluster(hash);
        Local = ChainNames.OfLocal(hash);
        External = ChainNames.OfExternal(hash);
        LoadBalancer = ChainNames.OfLoadBalancer(hash);
    }

    /// <summary>What is wanted.</summary>
    public ServicePortPlan Plan { get; }

    /// <summary>Matches the protocol.</summary>
    public ProtocolMatch Protocol { get; }

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
        Protocol = Protocol,
        Matches = [new CommentMatch(comment), Port(frontend)],
        Target = target,
    };

    /// <summary>Matches a node port; further matches stand between the comment and the port, or after it.</summary>
    public IptablesRule ToNodePort(Frontend frontend, string comment, IptablesTarget target, IptablesMatch? before = null, IptablesMatch? after = null) => new()
    {
        Protocol = Protocol,
        Matches = [.. new[] { new CommentMatch(comment), before, Port(frontend), after }.OfType<IptablesMatch>()],
        Target = target,
    };

    /// <summary>Accepts requests of load balancers for the health of the service.</summary>
    public IptablesRule HealthCheck() => new()
    {
        Protocol = new ProtocolMatch(Core.Model.Protocol.Tcp),
        Matches = [new CommentMatch($"{Name} health check node port"), new PortMatch(null, PortRange.Single(Plan.HealthCheckNodePort))],
        Target = IptablesTarget.Accept,
    };

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
