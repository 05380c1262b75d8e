using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>
/// Decides which UDP flows are stale after a change, for one family. A flow belongs to the frontend that its original
/// destination names. It is stale when it is translated to anything but a serving endpoint of that frontend's service port:
/// also when no endpoint is left, and when the frontend itself is gone, so that the client notices. A flow that is not
/// translated at all began before there were rules and would bypass them for ever: it is stale once the service port has a
/// serving endpoint, and not otherwise (without a service behind it, it may be anybody's).
/// </summary>
public sealed class StaleFlowPlan
{
    private readonly Dictionary<FrontendKey, ImmutableArray<IpEndpoint>> _serving = [];
    private readonly Func<IpAddr, bool> _acceptsNodePorts;

    /// <summary>Takes the changes of one sync.</summary>
    /// <param name="family">The family of everything given.</param>
    /// <param name="changed">The service ports that are new or changed: only flows to their frontends can have become stale.</param>
    /// <param name="removed">
    /// Frontends that went away, with their service port or without it. Keys that also occur in <paramref name="changed"/> went
    /// to another service port, and are treated as its.
    /// </param>
    /// <param name="acceptsNodePorts">
    /// Whether node ports work on an address: an address of this node that is among nodePortAddresses. (A flow through
    /// this node to the same port elsewhere is none of our business.)
    /// </param>
    public StaleFlowPlan(
        IpFamily family, IEnumerable<ServicePortPlan> changed, IEnumerable<FrontendKey> removed, Func<IpAddr, bool> acceptsNodePorts)
    {
        (Family, _acceptsNodePorts) = (family, acceptsNodePorts);
        foreach (var key in removed) Add(key, []);
        foreach (var plan in changed)
        {
            foreach (var frontend in plan.Frontends) Add(frontend.Key, plan.ServingEndpoints);
        }
    }

    /// <summary>The family.</summary>
    public IpFamily Family { get; }

    /// <summary>
    /// Whether flows that are not translated are left alone: nothing bypasses rules that look at every packet. False unless set.
    /// </summary>
    public bool KeepsUntranslated { get; init; }

    /// <summary>The UDP frontends whose flows are to be looked at.</summary>
    public IReadOnlyCollection<FrontendKey> Frontends => _serving.Keys;

    /// <summary>Whether there is nothing to look at.</summary>
    public bool IsEmpty => _serving.Count == 0;

    /// <summary>Whether the flow has to go.</summary>
    public bool IsStale(in Flow flow)
    {
        if (flow.Original.Protocol != Protocol.Udp || !TryFindServing(flow, out var serving)) return false;
        if (!flow.IsDestinationTranslated) return !KeepsUntranslated && !serving.IsEmpty && !Contains(serving, flow.ReplySource);
        return !Contains(serving, flow.ReplySource);
    }

    private bool TryFindServing(in Flow flow, out ImmutableArray<IpEndpoint> serving)
    {
        var (address, port) = flow.OriginalDestination;
        return _serving.TryGetValue(new FrontendKey(address, Protocol.Udp, port), out serving)
            || (_serving.TryGetValue(new FrontendKey(null, Protocol.Udp, port), out serving) && _acceptsNodePorts(address));
    }

    private void Add(FrontendKey key, ImmutableArray<IpEndpoint> serving)
    {
        if (key.Protocol == Protocol.Udp) _serving[key] = serving;
    }

    /// <summary>The endpoints are sorted, as the plan says.</summary>
    private static bool Contains(ImmutableArray<IpEndpoint> sorted, IpEndpoint endpoint) => sorted.BinarySearch(endpoint) >= 0;
}
