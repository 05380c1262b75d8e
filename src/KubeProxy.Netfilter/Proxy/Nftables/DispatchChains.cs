using System.Globalization;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>The kinds of dispatch chains.</summary>
internal enum DispatchKind
{
    /// <summary>Virtual IPs.</summary>
    Endpoints,

    /// <summary>Virtual IPs, masqueraded: external frontends with policy Cluster.</summary>
    ExternalEndpoints,

    /// <summary>Virtual IPs, local endpoints of external frontends with policy Local.</summary>
    LocalEndpoints,

    /// <summary>Node ports, not masqueraded.</summary>
    NodePortEndpoints,

    /// <summary>Node ports, masqueraded: policy Cluster.</summary>
    ExternalNodePortEndpoints,

    /// <summary>Node ports, local endpoints, policy Local.</summary>
    LocalNodePortEndpoints,
}

/// <summary>
/// The chains that choose one of N endpoints, one chain for each kind and N, shared by all services with N endpoints. Those
/// for common N exist from the beginning, because making a chain makes the kernel validate the whole table; others are made
/// when first needed and stay (a few rules) until the next periodic check finds them unused.
/// </summary>
internal sealed class DispatchChains(RuleParts parts)
{
    /// <summary>The largest number of endpoints whose chains exist from the beginning, for the kinds of most services.</summary>
    public const int CommonEndpoints = 16;

    private static readonly (DispatchKind Kind, string Prefix)[] Prefixes =
    [
        (DispatchKind.Endpoints, "endpoints-"),
        (DispatchKind.ExternalEndpoints, "external-endpoints-"),
        (DispatchKind.LocalEndpoints, "local-endpoints-"),
        (DispatchKind.NodePortEndpoints, "nodeport-endpoints-"),
        (DispatchKind.ExternalNodePortEndpoints, "external-nodeport-endpoints-"),
        (DispatchKind.LocalNodePortEndpoints, "local-nodeport-endpoints-"),
    ];

    private readonly Dictionary<(DispatchKind Kind, int Count), NftVerdict> _verdicts = [];

    /// <summary>The chains that exist from the beginning.</summary>
    public static IEnumerable<(DispatchKind Kind, int Count)> Common =>
        from kind in (DispatchKind[])[DispatchKind.Endpoints, DispatchKind.ExternalEndpoints, DispatchKind.NodePortEndpoints, DispatchKind.ExternalNodePortEndpoints]
        from count in Enumerable.Range(1, CommonEndpoints)
        select (kind, count);

    /// <summary>The verdict that leads to the chain; one object for all uses.</summary>
    public NftVerdict Verdict(DispatchKind kind, int count)
    {
        if (_verdicts.TryGetValue((kind, count), out var verdict)) return verdict;
        return _verdicts[(kind, count)] = NftVerdict.Goto(Name(kind, count));
    }

    /// <summary>The kind and count in the name of a dispatch chain.</summary>
    public static bool TryParse(string chain, out DispatchKind kind, out int count)
    {
        foreach (var (candidate, prefix) in Prefixes)
        {
            if (!chain.StartsWith(prefix, StringComparison.Ordinal)) continue;
            if (!int.TryParse(chain.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 1) continue;
            kind = candidate;
            return chain == Name(kind, count);
        }

        (kind, count) = (default, 0);
        return false;
    }

    /// <summary>
    /// The chains that the kind and count need, in the order in which they have to be made: marking ones go on to the plain.
    /// </summary>
    public IEnumerable<ChainDefinition> Define(DispatchKind kind, int count)
    {
        if (kind is DispatchKind.ExternalEndpoints or DispatchKind.ExternalNodePortEndpoints)
        {
            var plain = kind == DispatchKind.ExternalEndpoints ? DispatchKind.Endpoints : DispatchKind.NodePortEndpoints;
            yield return Balancing(plain, count);
            yield return Chain(kind, count, new NftRule(parts.Mark, RuleParts.Goto(Name(plain, count))));
        }
        else
        {
            yield return Balancing(kind, count);
        }
    }

    private ChainDefinition Balancing(DispatchKind kind, int count)
    {
        var index = new NftNumgen((uint)count);
        var (key, map) = kind switch
        {
            DispatchKind.Endpoints => (new NftConcat(parts.Daddr, RuleParts.Protocol, RuleParts.DestinationPort, index), FixedSets.Endpoints),
            DispatchKind.LocalEndpoints => (new NftConcat(parts.Daddr, RuleParts.Protocol, RuleParts.DestinationPort, index), FixedSets.LocalEndpoints),
            DispatchKind.NodePortEndpoints => (new NftConcat(RuleParts.Protocol, RuleParts.DestinationPort, index), FixedSets.NodePortEndpoints),
            _ => (new NftConcat(RuleParts.Protocol, RuleParts.DestinationPort, index), FixedSets.LocalNodePortEndpoints),
        };
        var ipv6 = parts.Family == Core.Model.IpFamily.IPv6;
        return Chain(kind, count, new NftRule(new NftDnat(new NftMapLookup(key, map), null, TargetHasPort: true, ipv6)));
    }

    private ChainDefinition Chain(DispatchKind kind, int count, NftRule rule) =>
        new(new NftChain(new NftChainKey(parts.Table, Name(kind, count))), [rule]);

    private static string Name(DispatchKind kind, int count) =>
        Prefixes[(int)kind].Prefix + count.ToString(CultureInfo.InvariantCulture);
}
