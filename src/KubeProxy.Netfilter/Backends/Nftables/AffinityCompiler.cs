using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// Session affinity. It is common to all frontends of a service port, so it cannot live in maps keyed by frontend: each endpoint
/// has a set of the clients that it serves. These objects exist only for service ports that ask for affinity, are named as
/// upstream's, and go with the endpoint, so a client never sticks to one that left.
/// </summary>
internal sealed class AffinityCompiler(TableState state, RuleParts parts)
{
    // The clients that one endpoint remembers. The set grows as needed; this only bounds what an attacker can make it hold.
    private const uint LargestSet = 1 << 20;

    /// <summary>Stages the chains and sets of the service port.</summary>
    public void StageObjects(ServicePortPlan plan, TimeSpan timeout)
    {
        var name = ObjectNames.ServicePort(plan.Name);
        ImmutableArray<IpEndpoint> all = [.. plan.ClusterEndpoints.Union(plan.LocalEndpoints).Order()];
        foreach (var endpoint in all) StageEndpoint(plan, endpoint, timeout);
        if (!plan.ClusterEndpoints.IsEmpty) StageChoice(plan, "service-" + name, plan.ClusterEndpoints);
        if (!plan.LocalEndpoints.IsEmpty) StageChoice(plan, "local-" + name, plan.LocalEndpoints);
    }

    /// <summary>The verdict that leads to the service port's chain.</summary>
    public static NftVerdict VerdictFor(ServicePortPlan plan, Destination destination) =>
        NftVerdict.Goto((destination == Destination.LocalEndpoints ? "local-" : "service-") + ObjectNames.ServicePort(plan.Name));

    private void StageEndpoint(ServicePortPlan plan, IpEndpoint endpoint, TimeSpan timeout)
    {
        var name = ObjectNames.Endpoint(plan.Name, endpoint);
        var set = new NftSet(new NftSetKey(parts.Table, "affinity-" + name))
        {
            KeyType = [parts.AddressType],
            Flags = NftSetFlags.Dynamic | NftSetFlags.Timeout,
            Size = LargestSet,
        };
        state.Stage(set);
        Stage("endpoint-" + name,
        [
            // The timeout stands here and not in the set, so that a change of it keeps the clients that are there.
            new NftRule(new NftDynset(NftDynsetOperation.Update, set.Key.Name, parts.Saddr) { Timeout = timeout }),
            new NftRule(
                new NftMatch(RuleParts.Protocol, NftOperator.Equal, RuleParts.ProtocolNumber(plan.Name.Protocol)),
                new NftDnat(RuleParts.Address(endpoint.Address), endpoint.Port, TargetHasPort: false, plan.Family == IpFamily.IPv6)),
        ]);
    }

    // First whoever is known, then one at random: the first of N with a chance of 1/N, the next of those left, and so on.
    private void StageChoice(ServicePortPlan plan, string chain, ImmutableArray<IpEndpoint> endpoints)
    {
        var names = endpoints.Select(endpoint => ObjectNames.Endpoint(plan.Name, endpoint)).ToArray();
        var known = names.Select(name => new NftRule(
            new NftSetMatch(parts.Saddr, "affinity-" + name), RuleParts.Goto("endpoint-" + name)));
        var random = names.Select((name, i) => i == names.Length - 1
            ? new NftRule(RuleParts.Goto("endpoint-" + name))
            : new NftRule(OneOf(names.Length - i), RuleParts.Goto("endpoint-" + name)));
        Stage(chain, [.. known, .. random]);
    }

    private static NftMatch OneOf(int count) => new(
        new NftNumgen((uint)count), NftOperator.Equal, new NftConstant(NftDataType.Integer, new NftData(new byte[4])));

    private void Stage(string chain, ImmutableArray<NftRule> rules) =>
        state.Stage(new ChainDefinition(new NftChain(new NftChainKey(parts.Table, chain)), rules));
}
