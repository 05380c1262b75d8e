using System.Collections.Immutable;
using System.Globalization;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The chain that chooses among endpoints.</summary>
/// <param name="service">The service port.</param>
/// <param name="masquerading">The rules that come first.</param>
/// <param name="endpoints">The endpoints, sorted as text, like upstream.</param>
/// <param name="comments">Whether the rules for endpoints have comments.</param>
internal sealed class BalancingChain(
    ServiceRules service, ImmutableArray<IptablesRule> masquerading, ImmutableArray<EndpointChain> endpoints, bool comments) : ChainContent
{
    public override int Count => masquerading.Length + ((service.Plan.AffinityTimeout is null ? 1 : 2) * endpoints.Length);

    /// <summary>
    /// First those of affinity: a client goes where it went before. Then each endpoint with the probability of one in as many
    /// as are left.
    /// </summary>
    public override ImmutableArray<IptablesRule> Rules
    {
        get
        {
            var rules = ImmutableArray.CreateBuilder<IptablesRule>(Count);
            rules.AddRange(masquerading);
            if (service.Plan.AffinityTimeout is { } timeout)
            {
                foreach (var endpoint in endpoints)
                    rules.Add(To(endpoint, new RecentMatch(endpoint.Name, RecentAction.Check, (uint)timeout.TotalSeconds, Reap: true)));
            }

            for (var left = endpoints.Length; left > 0; left--) rules.Add(To(endpoints[^left], left == 1 ? null : OneIn(left)));
            return rules.DrainToImmutable();
        }
    }

    private IptablesRule To(EndpointChain endpoint, IptablesMatch? condition)
    {
        var comment = comments ? new CommentMatch($"{service.Name} -> {endpoint.Endpoint}") : null;
        return IptablesLayout.Rule(IptablesTarget.Jump(endpoint.Name), ServiceRules.Some(comment, condition));
    }

    // Upstream writes ten decimals, and iptables reads those.
    private static StatisticMatch OneIn(int count) => StatisticMatch.Of(
        double.Parse((1.0 / count).ToString("F10", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));
}
