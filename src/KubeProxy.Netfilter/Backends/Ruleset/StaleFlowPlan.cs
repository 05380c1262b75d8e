using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// Decides which flows are stale after a change, for one family. A flow belongs to the frontend that its original destination names.
/// <para>
/// UDP and SCTP: a flow is stale when it is translated to anything but a serving endpoint of that frontend's service port: also when
/// no endpoint is left, and when the frontend itself is gone, so that the client notices. A flow that is not translated at all began
/// before there were rules and would bypass them for ever: it is stale once the service port has a serving endpoint, and not
/// otherwise (without a service behind it, it may be anybody's).
/// </para>
/// <para>
/// TCP: connections end by themselves, and are left alone. Only what nobody has answered and nobody translates is stale, once its
/// frontend leads to endpoints and did not before: a client that goes on trying from one port would bypass the rules as long as it
/// tries.
/// </para>
/// </summary>
public sealed class StaleFlowPlan
{
    private readonly Dictionary<FrontendKey, ImmutableArray<IpEndpoint>> _serving = [];
    private readonly HashSet<FrontendKey> _appeared;
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
    /// <param name="appeared">Frontends of TCP that lead to endpoints and did not before; null for none.</param>
    public StaleFlowPlan(
        IpFamily family, IEnumerable<ServicePortPlan> changed, IEnumerable<FrontendKey> removed, Func<IpAddr, bool> acceptsNodePorts,
        IEnumerable<FrontendKey>? appeared = null)
    {
        (Family, _acceptsNodePorts) = (family, acceptsNodePorts);
        _appeared = [.. (appeared ?? []).Where(key => key.Protocol == Protocol.Tcp)];
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

    /// <summary>Where flows may lead to as well as to endpoints: ports of this process, which sends them on. None unless set.</summary>
    public Func<IpEndpoint, bool> IsOwn { get; init; } = _ => false;

    /// <summary>The frontends whose flows are to be looked at.</summary>
    public IReadOnlyCollection<FrontendKey> Frontends => [.. _serving.Keys, .. _appeared];

    /// <summary>Whether there is nothing to look at.</summary>
    public bool IsEmpty => _serving.Count == 0 && _appeared.Count == 0;

    /// <summary>Whether the flow has to go.</summary>
    public bool IsStale(in Flow flow) => flow.Original.Protocol == Protocol.Tcp ? IsStaleConnection(flow) : IsStaleFlow(flow);

    private bool IsStaleConnection(in Flow flow)
    {
        if (KeepsUntranslated || flow.IsDestinationTranslated || (flow.Status & FlowStatus.SeenReply) != 0) return false;
        var (address, port) = flow.OriginalDestination;
        return _appeared.Contains(new FrontendKey(address, Protocol.Tcp, port))
            || (_appeared.Contains(new FrontendKey(null, Protocol.Tcp, port)) && _acceptsNodePorts(address));
    }

    private bool IsStaleFlow(in Flow flow)
    {
        if (!TryFindServing(flow, out var serving)) return false;
        if (!flow.IsDestinationTranslated) return !KeepsUntranslated && !serving.IsEmpty && !Contains(serving, flow.ReplySource);
        return !Contains(serving, flow.ReplySource) && !IsOwn(flow.ReplySource);
    }

    private bool TryFindServing(in Flow flow, out ImmutableArray<IpEndpoint> serving)
    {
        var (address, port) = flow.OriginalDestination;
        var protocol = flow.Original.Protocol;
        return _serving.TryGetValue(new FrontendKey(address, protocol, port), out serving)
            || (_serving.TryGetValue(new FrontendKey(null, protocol, port), out serving) && _acceptsNodePorts(address));
    }

    private void Add(FrontendKey key, ImmutableArray<IpEndpoint> serving)
    {
        if (key.Protocol is Protocol.Udp or Protocol.Sctp) _serving[key] = serving;
    }

    /// <summary>The endpoints are sorted, as the plan says.</summary>
    private static bool Contains(ImmutableArray<IpEndpoint> sorted, IpEndpoint endpoint) => sorted.BinarySearch(endpoint) >= 0;
}
