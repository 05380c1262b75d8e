using System.Globalization;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Explaining;

/// <summary>What the causes of a service port are found in.</summary>
/// <param name="Name">The service port.</param>
/// <param name="Frontends">All frontends.</param>
/// <param name="Verdicts">Of each endpoint, for traffic that may go anywhere; sorted by target.</param>
/// <param name="LocalVerdicts">Of each endpoint, for traffic that has to stay.</param>
/// <param name="Hints">What the hints do.</param>
/// <param name="HasSlices">Whether there is any EndpointSlice of the Service in the family.</param>
/// <param name="SourceBlocks">Which sources are allowed; empty for all.</param>
/// <param name="SourcesUnreadable">Whether source ranges could not be read.</param>
/// <param name="UsesCluster">Whether a frontend leads to endpoints anywhere, or is refused for want of them.</param>
internal readonly record struct CauseInput(
    ServicePortName Name, IReadOnlyList<FrontendExplanation> Frontends, IReadOnlyList<(IpEndpoint Target, EndpointVerdict Verdict)> Verdicts,
    IReadOnlyList<(IpEndpoint Target, EndpointVerdict Verdict)> LocalVerdicts, HintUse Hints, bool HasSlices, IReadOnlyList<Cidr> SourceBlocks, bool SourcesUnreadable, bool UsesCluster);

/// <summary>Says what decisions mean, in sentences. Decides nothing itself.</summary>
internal static class CauseFinder
{
    private const int Shown = 3;

    /// <summary>The causes, the most important first.</summary>
    public static IReadOnlyList<Cause> Find(CauseInput input) =>
    [
        .. Frontends(input), .. Nothing(input), .. NoLocal(input), .. Sources(input), .. Fallback(input), .. Hints(input), .. Out(input),
    ];

    private static IEnumerable<Cause> Frontends(CauseInput input) => input.Frontends.Where(frontend => frontend.Reason is not null)
        .Select(frontend => new Cause(
            frontend.IsConflict ? CauseKind.Conflict : CauseKind.AddressNotAllowed, $"{frontend.Frontend.Key} is not in force: {frontend.Reason}"));

    private static IEnumerable<Cause> Nothing(CauseInput input)
    {
        if (input.Verdicts.Count == 0)
        {
            yield return !input.HasSlices
                ? new Cause(CauseKind.NoEndpoints, "no EndpointSlice of the Service has an endpoint in this family: connections are refused")
                : new Cause(CauseKind.NoSlicePort, $"the EndpointSlices of the Service have no endpoint with a {input.Name.Protocol.ToLowerName()} port named '{input.Name.PortName}': connections are refused");
        }
        else if (!input.Verdicts.Any(each => each.Verdict.IsIn()))
        {
            yield return new Cause(CauseKind.NoneReady, $"none of the {Counted(input.Verdicts.Count, "endpoint")} is ready, nor serves until it ends: connections are refused");
        }
    }

    private static IEnumerable<Cause> NoLocal(CauseInput input)
    {
        foreach (var group in input.Frontends.Where(each => each.Frontend.Destination == Destination.Drop).GroupBy(each => each.Frontend.Kind == FrontendKind.ClusterIP))
        {
            var (policy, who) = group.Key ? ("internalTrafficPolicy", "connections to the cluster IP") : ("externalTrafficPolicy", "connections from outside");
            yield return new Cause(
                CauseKind.NoLocalEndpoints,
                $"{policy} is Local and none of the endpoints that can be used is on this node: {who} are dropped{(group.Any(each => each.Frontend.ShortCircuit) ? "; pods and this node reach endpoints on other nodes" : "")}");
        }
    }

    private static IEnumerable<Cause> Sources(CauseInput input)
    {
        if (input.SourcesUnreadable && input.Frontends.Any(each => each.Frontend.Kind == FrontendKind.LoadBalancerIP))
            yield return new Cause(CauseKind.SourcesUnreadable, "loadBalancerSourceRanges cannot be read: connections to the load-balancer IPs are dropped, whoever asks");
        else if (input.Frontends.Any(each => !each.Frontend.AllowedSources.IsEmpty))
            yield return new Cause(CauseKind.SourceRanges, $"loadBalancerSourceRanges: connections to the load-balancer IPs are dropped, except from {Listed(input.SourceBlocks.Select(block => block.ToString()))}");
    }

    private static IEnumerable<Cause> Fallback(CauseInput input)
    {
        if (input.Verdicts.Any(each => each.Verdict == EndpointVerdict.Fallback))
            yield return new Cause(CauseKind.Fallback, $"no endpoint is ready: {Counted(input.Verdicts.Count(each => each.Verdict == EndpointVerdict.Fallback), "endpoint")} that will end but still serve are used");
        else if (input.LocalVerdicts.Any(each => each.Verdict == EndpointVerdict.Fallback) && input.Frontends.Any(each => each.Frontend.UsesLocalEndpoints))
            yield return new Cause(CauseKind.Fallback, "no endpoint on this node is ready: those of it that will end but still serve are used for policy Local");
    }

    private static IEnumerable<Cause> Hints(CauseInput input) => input.Hints switch
    {
        HintUse.OneHasNone => [new Cause(CauseKind.HintsIgnored, "topology hints are ignored, because not every ready endpoint has one")],
        HintUse.NoneForHere => [new Cause(CauseKind.HintsIgnored, "topology hints are ignored, because none names this node or its zone")],
        HintUse.ZoneUnknown => [new Cause(CauseKind.HintsIgnored, "topology hints are ignored, because the zone of this node is not known")],
        HintUse.ThisNode => [new Cause(CauseKind.HintsUsed, "topology hints: the endpoints hinted to this node are used")],
        HintUse.ThisZone => [new Cause(CauseKind.HintsUsed, "topology hints: the endpoints hinted to this node's zone are used")],
        _ => [],
    };

    private static IEnumerable<Cause> Out(CauseInput input)
    {
        if (!input.UsesCluster || !input.Verdicts.Any(each => each.Verdict.IsIn())) yield break;
        foreach (var group in input.Verdicts.Where(each => !each.Verdict.IsIn()).GroupBy(each => each.Verdict).OrderBy(group => group.Key))
            yield return new Cause(CauseKind.EndpointsOut, $"{Listed(group.Select(each => each.Target.ToString()))}: out, {CauseWords.Of(group.Key)}");
    }

    private static string Listed(IEnumerable<string> texts)
    {
        var all = texts.ToList();
        return string.Join(", ", all.Take(Shown)) + (all.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $" and {all.Count - Shown} more") : "");
    }

    private static string Counted(int count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
