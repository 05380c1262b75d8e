using System.Collections.Immutable;
using System.Globalization;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Proxy.Iptables;

/// <summary>An endpoint as a chain: its text, and the chain's name.</summary>
internal readonly record struct EndpointChain(string Endpoint, string Name);

/// <summary>The rules that choose among endpoints.</summary>
internal static class BalancingChain
{
    /// <summary>
    /// First those of affinity: a client goes where it went before. Then each endpoint with the probability of one in as many
    /// as are left.
    /// </summary>
    public static IEnumerable<IptablesRule> Rules(ServicePortPlan plan, string service, IReadOnlyList<EndpointChain> endpoints, bool comments)
    {
        var last = endpoints.Count - 1;
        var targets = new VerdictTarget[endpoints.Count];
        for (var i = 0; i <= last; i++) targets[i] = IptablesTarget.Jump(endpoints[i].Name);
        if (plan.AffinityTimeout is { } timeout)
        {
            for (var i = 0; i <= last; i++)
            {
                var recent = new RecentMatch(endpoints[i].Name, RecentAction.Check, (uint)timeout.TotalSeconds, Reap: true);
                yield return IptablesLayout.Rule(targets[i], ServiceRules.Some(Comment(i), recent));
            }
        }

        for (var i = 0; i <= last; i++)
            yield return IptablesLayout.Rule(targets[i], ServiceRules.Some(Comment(i), i == last ? null : OneIn(endpoints.Count - i)));

        CommentMatch? Comment(int index) => comments ? new CommentMatch($"{service} -> {endpoints[index].Endpoint}") : null;
    }

    // Upstream writes ten decimals, and iptables reads those.
    private static StatisticMatch OneIn(int count) => StatisticMatch.Of(
        double.Parse((1.0 / count).ToString("F10", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));
}
