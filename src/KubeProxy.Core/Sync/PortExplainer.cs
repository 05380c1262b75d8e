using System.Runtime.InteropServices;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Tracking;

namespace KubeProxy.Core.Sync;

/// <summary>
/// Explains a service port of one family: asks what its plan is made by (<see cref="EndpointRules"/>, <see cref="ServicePortPlanner"/>,
/// <see cref="VirtualIpRules"/>, <see cref="FrontendArbiter"/>) and keeps the answers. Decides nothing.
/// </summary>
internal sealed class PortExplainer(Trackers trackers, FamilyPlanner planner, MasqueradePolicy? masquerade)
{
    /// <summary>Explains it.</summary>
    /// <param name="service">The Service; it has addresses of the family.</param>
    /// <param name="port">One of its ports.</param>
    public ServicePortExplanation Explain(ServiceDefinition service, PortDefinition port)
    {
        var (family, addresses) = (planner.Family, service.AddressesOf(planner.Family)!);
        var name = new ServicePortName(service.Name, port.Name, port.Protocol);
        List<EndpointState> states = [];
        trackers.Slices.Collect(service.Name, port.Name, port.Protocol, family, states);
        var endpoints = CollectionsMarshal.AsSpan(states);
        var rules = new EndpointRules(endpoints, trackers.Node.Topology.Zone);
        var wanted = ServicePortPlanner.Plan(service, port, family, endpoints, trackers.Node.Topology);
        var frontends = wanted.Frontends.Select(frontend => Explain(name, frontend) with { IsClosed = addresses.SourcesUnreadable && frontend.Kind == FrontendKind.LoadBalancerIP }).ToList();
        var judged = states.ConvertAll(state => (State: state, ForCluster: rules.JudgeForCluster(state), ForLocal: rules.JudgeForLocal(state)));
        var usesCluster = wanted.Frontends.Any(frontend => frontend.UsesClusterEndpoints || frontend.Destination == Destination.Reject);
        var causes = CauseFinder.Find(new CauseInput(
            name, frontends, judged.ConvertAll(each => (each.State.Target, each.ForCluster)), judged.ConvertAll(each => (each.State.Target, each.ForLocal)),
            rules.Hints, trackers.Slices.Of(service.Name, family).Any(slice => slice.Endpoints.Length > 0), wanted.SourceBlocks, addresses.SourcesUnreadable, usesCluster));
        return new ServicePortExplanation
        {
            Name = name, Family = family, Port = port.Port, InternalLocal = service.InternalLocal, ExternalLocal = service.ExternalLocal,
            CreatedAt = service.CreatedAt == DateTimeOffset.MaxValue ? null : service.CreatedAt, AffinityTimeout = service.AffinityTimeout,
            Plan = planner.Find(name) ?? wanted, Frontends = frontends, Hints = rules.Hints, EndpointCount = judged.Count,
            Endpoints =
            [
                .. judged.OrderBy(each => each.ForCluster.IsIn()).Take(ServicePortExplanation.MostEndpoints).OrderBy(each => each.State.Target)
                    .Select(each => Explain(service.Name, port, each.State, each.ForCluster, each.ForLocal)),
            ],
            Causes = [.. causes, .. ProblemsOf(service.Name)],
        };
    }

    private FrontendExplanation Explain(ServicePortName owner, Frontend frontend)
    {
        var outcomes = ConnectionOutcome.Of(frontend, masquerade);
        if (!trackers.VirtualIps.Allows(frontend, out var problem)) return new FrontendExplanation(frontend, false, problem, outcomes);
        return planner.Arbiter.WinnerOf(frontend.Key) is { } winner && winner != owner
            ? new FrontendExplanation(frontend, false, $"it belongs to {winner}, which is older or first by name", outcomes) { IsConflict = true }
            : new FrontendExplanation(frontend, true, null, outcomes);
    }

    private EndpointExplanation Explain(NamespacedName service, PortDefinition port, in EndpointState state, EndpointVerdict forCluster, EndpointVerdict forLocal)
    {
        var target = state.Target;
        var slice = trackers.Slices.Of(service, planner.Family).FirstOrDefault(slice =>
            slice.Endpoints.Any(endpoint => endpoint.Address == target.Address)
            && slice.Ports.Any(each => each.Port == target.Port && each.Protocol == port.Protocol && each.Name == port.Name));
        return new EndpointExplanation(target, slice?.Name ?? service, state.IsLocal, forCluster, forLocal, state.ZoneHints?.Split(EndpointState.ZoneSeparator));
    }

    private IEnumerable<Cause> ProblemsOf(NamespacedName service) => trackers.Problems.Of(ObjectKind.Service, service)
        .Concat(trackers.Slices.Of(service, planner.Family).SelectMany(slice => trackers.Problems.Of(ObjectKind.EndpointSlice, slice.Name)))
        .Select(problem => new Cause(CauseKind.Problem, problem.ToString()));
}
