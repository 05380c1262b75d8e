using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The sets and maps that say what is refused: no endpoints, sources that are not allowed, ports that no service has.</summary>
/// <param name="family">The family.</param>
/// <param name="sets">Their definitions.</param>
/// <param name="staged">Where collections enter themselves when something is staged.</param>
internal sealed class FrontendPolicies(IpFamily family, FixedSets sets, List<ElementCollection> staged)
{
    private static readonly NftVerdict Reject = NftVerdict.Goto(PolicyChains.Reject);

    public ElementCollection<FrontendKey, FrontendVerdict> NoEndpointServices { get; } =
        new(sets[FixedSets.NoEndpointServices], new FrontendVerdictCodec(family), staged);

    public ElementCollection<FrontendKey, FrontendVerdict> NoEndpointNodePorts { get; } =
        new(sets[FixedSets.NoEndpointNodePorts], new FrontendVerdictCodec(null), staged);

    public ElementCollection<FrontendKey, NoValue> FirewallServices { get; } = new(sets[FixedSets.FirewallServices], new FrontendCodec(family), staged);

    public ElementCollection<AllowedSource, NoValue> FirewallSources { get; } = new(sets[FixedSets.FirewallSources], new AllowedSourceCodec(family), staged);

    public ElementCollection<IpAddr, NoValue> ClusterIps { get; } = new(sets[FixedSets.ClusterIps], new AddressCodec(family), staged);

    /// <summary>Stages what a frontend asks for.</summary>
    public void Stage(RuleOwner owner, Frontend frontend)
    {
        NftVerdict? refusal = frontend.Destination switch
        {
            Destination.Reject => Reject,
            Destination.Drop => NftVerdict.Drop,
            _ => null,
        };
        var refused = frontend.Key.Address is null ? NoEndpointNodePorts : NoEndpointServices;
        if (refusal is not null) refused.Stage(frontend.Key, new FrontendVerdict(refusal, owner.Comment));
        if (frontend is { Kind: FrontendKind.ClusterIP, Key.Address: { } clusterIp }) ClusterIps.Stage(clusterIp, default);
        if (frontend.AllowedSources.IsEmpty) return;
        FirewallServices.Stage(frontend.Key, default);
        foreach (var range in frontend.AllowedSources) FirewallSources.Stage(new AllowedSource(frontend.Key, range), default);
    }
}
