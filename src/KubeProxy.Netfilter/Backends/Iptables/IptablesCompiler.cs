using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>Compiles the plan of a service port to chains of its own and rules in shared chains.</summary>
internal sealed class IptablesCompiler(IptablesState state, MasqueradePolicy masquerade) : IServicePortCompiler
{
    private static readonly IptablesChain NatServices = new(IptablesTable.Nat, ChainNames.Services);
    private static readonly IptablesChain NatNodePorts = new(IptablesTable.Nat, ChainNames.NodePorts);
    private static readonly IptablesChain FilterServices = new(IptablesTable.Filter, ChainNames.Services);
    private static readonly IptablesChain FilterNodePorts = new(IptablesTable.Filter, ChainNames.NodePorts);
    private static readonly IptablesChain FilterExternal = new(IptablesTable.Filter, ChainNames.ExternalServices);
    private static readonly IptablesChain FilterFirewall = new(IptablesTable.Filter, ChainNames.ProxyFirewall);
    private static readonly AddressMatch Loopback = new(Cidr.Parse("127.0.0.0/8"));
    private static readonly AddressTypeMatch FromLocal = new(AddressTypes.Local, AddressTypes.None);
    private static readonly AddressTypeMatch ToLocal = new(AddressTypes.None, AddressTypes.Local);

    /// <summary>Whether the rules for endpoints get comments; in large clusters they would cost more than they are worth.</summary>
    public bool EndpointComments { get; set; } = true;

    /// <summary>Whether connections to loopback node ports are counted.</summary>
    public bool CountLocalhostNodePorts { get; set; }

    /// <inheritdoc/>
    public void Compile(RuleOwner owner, ServicePortPlan plan)
    {
        var rules = new ServiceRules(plan);
        foreach (var frontend in plan.Frontends) Stage(rules, plan, frontend);
        if (plan.HealthCheckNodePort != 0) state.Stage(new SharedRule(FilterNodePorts, rules.HealthCheck()));
        StageExternal(rules, plan);
        StageLoadBalancer(rules, plan);
        StageEndpoints(rules, plan);
        state.Commit(owner);
    }

    /// <inheritdoc/>
    public void Remove(RuleOwner owner) => state.Remove(owner);

    /// <inheritdoc/>
    public void Expect(int servicePorts)
    {
        state.Chains.EnsureCapacity(servicePorts);
        state.Rules.EnsureCapacity(servicePorts);
    }

    private void Stage(ServiceRules rules, ServicePortPlan plan, Frontend frontend)
    {
        StageRefusal(rules, frontend);
        if (frontend.Kind == FrontendKind.ClusterIP)
        {
            if (InternalChain(rules, frontend) is { } chain) Nat(rules.To(frontend, $"{rules.Name} cluster IP", IptablesTarget.Jump(chain)));
            return;
        }

        if (!frontend.HasEndpoints) return;
        var external = IptablesTarget.Jump(rules.External);
        switch (frontend.Kind)
        {
            case FrontendKind.ExternalIP:
                Nat(rules.To(frontend, $"{rules.Name} external IP", external));
                break;
            case FrontendKind.LoadBalancerIP when frontend.AllowedSources.IsEmpty:
                Nat(rules.To(frontend, $"{rules.Name} loadbalancer IP", external));
                break;
            case FrontendKind.LoadBalancerIP:
                Nat(rules.To(frontend, $"{rules.Name} loadbalancer IP", IptablesTarget.Jump(rules.LoadBalancer)));
                state.Stage(new SharedRule(FilterFirewall, rules.To(frontend, $"{rules.Name} traffic not accepted by {rules.LoadBalancer}", IptablesTarget.Drop)));
                break;
            default:
                StageNodePort(rules, frontend, external);
                break;
        }

        void Nat(IptablesRule rule) => state.Stage(new SharedRule(NatServices, rule));
    }

    private void StageNodePort(ServiceRules rules, Frontend frontend, VerdictTarget external)
    {
        state.Stage(new SharedRule(NatNodePorts, rules.ToNodePort(frontend, rules.Name, external)));
        if (!CountLocalhostNodePorts) return;
        var counted = rules.ToNodePort(frontend, rules.Name, external, after: new AccountingMatch(IptablesLayout.LocalhostAccepted));
        state.Stage(new SharedRule(NatNodePorts, counted with { Destination = Loopback }));
    }

    private void StageRefusal(ServiceRules rules, Frontend frontend)
    {
        if (frontend.Destination is not (Destination.Reject or Destination.Drop)) return;
        var isReject = frontend.Destination == Destination.Reject;
        IptablesTarget target = isReject ? new RejectTarget() : IptablesTarget.Drop;
        var comment = isReject ? $"{rules.Name} has no endpoints" : $"{rules.Name} has no local endpoints";
        var rule = frontend.Kind == FrontendKind.NodePort
            ? rules.ToNodePort(frontend, comment, target, before: ToLocal)
            : rules.To(frontend, comment, target);
        state.Stage(new SharedRule(frontend.Kind == FrontendKind.ClusterIP ? FilterServices : FilterExternal, rule));
    }

    private void StageExternal(ServiceRules rules, ServicePortPlan plan)
    {
        if (plan.Frontends.FirstOrDefault(frontend => frontend.Kind != FrontendKind.ClusterIP && frontend.HasEndpoints) is not { } external) return;
        var chain = ImmutableArray.CreateBuilder<IptablesRule>();
        if (external.Destination == Destination.ClusterEndpoints)
            chain.Add(IptablesLayout.Rule(ServiceRules.MarkMasquerade, new CommentMatch($"masquerade traffic for {rules.Name} external destinations")));
        else if (external.ShortCircuit)
            chain.AddRange(ShortCircuit(rules));
        if (external.Destination == Destination.ClusterEndpoints) chain.Add(IptablesLayout.Rule(IptablesTarget.Jump(rules.Cluster)));
        else if (external.Destination == Destination.LocalEndpoints) chain.Add(IptablesLayout.Rule(IptablesTarget.Jump(rules.Local)));
        Own(rules.External, chain.ToImmutable());
    }

    /// <summary>Pods and the node itself are not meant by policy Local.</summary>
    private IEnumerable<IptablesRule> ShortCircuit(ServiceRules rules)
    {
        var cluster = IptablesTarget.Jump(rules.Cluster);
        if (masquerade.LocalDetector is not null)
            yield return FromPods(IptablesLayout.Rule(cluster, new CommentMatch($"pod traffic for {rules.Name} external destinations")), negated: false);
        yield return IptablesLayout.Rule(ServiceRules.MarkMasquerade, new CommentMatch($"masquerade LOCAL traffic for {rules.Name} external destinations"), FromLocal);
        yield return IptablesLayout.Rule(cluster, new CommentMatch($"route LOCAL traffic for {rules.Name} external destinations"), FromLocal);
    }

    private void StageLoadBalancer(ServiceRules rules, ServicePortPlan plan)
    {
        var restricted = plan.Frontends.Where(frontend => !frontend.AllowedSources.IsEmpty && frontend.HasEndpoints).ToArray();
        if (restricted.Length == 0) return;
        var comment = new CommentMatch($"{rules.Name} loadbalancer IP");
        var external = IptablesTarget.Jump(rules.External);
        Own(rules.LoadBalancer,
        [
            .. SourceBlocks.Of(plan, restricted).Select(block => IptablesLayout.Rule(external, comment) with { Source = new AddressMatch(block) }),
            IptablesLayout.Rule(null, new CommentMatch($"other traffic to {rules.Name} will be dropped by KUBE-PROXY-FIREWALL")),
        ]);
    }

    private void StageEndpoints(ServiceRules rules, ServicePortPlan plan)
    {
        var chains = new Dictionary<IpEndpoint, EndpointChain>(plan.ClusterEndpoints.Length);
        foreach (var endpoint in plan.ClusterEndpoints.AsSpan()) Stage(endpoint);
        foreach (var endpoint in plan.LocalEndpoints.AsSpan()) Stage(endpoint);
        StageBalancing(rules, plan, rules.Cluster, plan.ClusterEndpoints, chains);
        StageBalancing(rules, plan, rules.Local, plan.LocalEndpoints, chains);

        void Stage(IpEndpoint endpoint)
        {
            ref var chain = ref CollectionsMarshal.GetValueRefOrAddDefault(chains, endpoint, out var known);
            if (known) return;
            chain = new EndpointChain(rules, endpoint, EndpointComments);
            Own(chain.Name, chain);
        }
    }

    private void StageBalancing(
        ServiceRules rules, ServicePortPlan plan, string name, ImmutableArray<IpEndpoint> endpoints, Dictionary<IpEndpoint, EndpointChain> chains)
    {
        if (endpoints.IsEmpty) return;
        // Sorted as text, like upstream.
        var sorted = endpoints.Distinct().Select(endpoint => (Text: endpoint.ToString(), Chain: chains[endpoint])).OrderBy(pair => pair.Text, StringComparer.Ordinal);
        Own(name, new BalancingChain(rules, [.. MasqueradeRules(rules, plan, name)], [.. sorted.Select(pair => pair.Chain)], EndpointComments));
    }

    private IEnumerable<IptablesRule> MasqueradeRules(ServiceRules rules, ServicePortPlan plan, string chain)
    {
        if (!masquerade.All && masquerade.LocalDetector is null) yield break;
        foreach (var frontend in plan.Frontends)
        {
            if (frontend.Kind != FrontendKind.ClusterIP || InternalChain(rules, frontend) != chain) continue;
            var rule = rules.To(frontend, $"{rules.Name} cluster IP", ServiceRules.MarkMasquerade);
            yield return masquerade.All ? rule : FromPods(rule, negated: true);
        }
    }

    /// <summary>The rule for packets of pods only, or of all but pods.</summary>
    private IptablesRule FromPods(IptablesRule rule, bool negated) => masquerade.LocalDetector switch
    {
        LocalTrafficDetector.Source source => rule with { Source = new AddressMatch(source.Cidr, negated) },
        LocalTrafficDetector.Bridge bridge => rule with { InputInterface = new InterfaceMatch(bridge.Interface, negated) },
        LocalTrafficDetector.InterfacePrefix prefix => rule with { InputInterface = new InterfaceMatch(prefix.Prefix + "+", negated) },
        _ => rule,
    };

    private static string? InternalChain(ServiceRules rules, Frontend frontend) => frontend.Destination switch
    {
        Destination.ClusterEndpoints => rules.Cluster,
        Destination.LocalEndpoints => rules.Local,
        _ => null,
    };

    private void Own(string name, ImmutableArray<IptablesRule> rules) => Own(name, ChainContent.Of(rules));

    private void Own(string name, ChainContent content) => state.Stage(new IptablesChain(IptablesTable.Nat, name), content);
}
