using System.Globalization;
using System.Text;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Inspection;

/// <summary>What <c>kube-proxy explain</c> shows to people: first what is the matter and why, then everything else.</summary>
/// <param name="explanation">What Core has to say.</param>
/// <param name="kernel">In what the kernel differs from that; null when it was not compared.</param>
internal sealed class ExplainReport(Explanation explanation, IReadOnlyList<Difference>? kernel = null)
{
    /// <summary>Connections to the target lead to endpoints, for everybody.</summary>
    public const int Served = 0;

    /// <summary>They do not, for somebody at least.</summary>
    public const int NotServed = 1;

    private const int ShownEndpoints = 20;

    /// <summary>The exit code of the command.</summary>
    public int ExitCode => explanation.Ports.Count > 0 && kernel is null or { Count: 0 } && (explanation.Target is ExplainTarget.Service ? explanation.Ports.All(IsServed) : explanation.Ports.Any(IsServed))
        ? Served : NotServed;

    /// <summary>Writes it as text.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        if (explanation.Ports.Count == 0) Line(text, $"{explanation.Target}: not served by this proxy");
        foreach (var cause in explanation.Causes) Line(text, $"  why: {cause.Text}");
        // Of one that several claim, its owner first; else what does not work first.
        foreach (var port in explanation.Target is ExplainTarget.Service ? explanation.Ports.OrderBy(IsServed) : explanation.Ports.AsEnumerable())
        {
            if (text.Length > 0) text.Append('\n');
            Write(text, port);
        }

        if (explanation.MorePorts > 0) Line(text, $"and {explanation.MorePorts} more service ports");
        if (kernel is { Count: 0 }) Line(text, "kernel: as planned");
        foreach (var (_, kind, what) in kernel ?? []) Line(text, $"kernel: {kind.ToString().ToLowerInvariant()} {what}");
        return text.ToString();
    }

    private void Write(StringBuilder text, ServicePortExplanation port)
    {
        Line(text, $"{port.Name} {port.Port}/{Core.Model.ProtocolNames.ToLowerName(port.Name.Protocol)}, {port.Family}: {Verdict(port)}");
        foreach (var cause in port.Causes) Line(text, $"  why: {cause.Text}");
        if (port.AffinityTimeout is { } timeout) Line(text, $"  session affinity: a client stays with its endpoint until it has not connected for {timeout.TotalSeconds:0} s");
        foreach (var frontend in port.Frontends) Write(text, port, frontend);
        Endpoints(text, port);
        if (port.LastChange is { } change) Line(text, $"  since: {ChangeText.Of(change, port.Name.Service)}");
        if (port.Plan.HealthCheckNodePort != 0) Line(text, $"  load balancers ask on health check node port {port.Plan.HealthCheckNodePort} whether this node has endpoints");
    }

    private bool IsServed(ServicePortExplanation port) => EndpointAsked(port) is { } endpoint ? endpoint.ForCluster.IsIn() || endpoint.ForLocal.IsIn()
        : port.Frontends.Where(Concerns).All(frontend => frontend is { IsInForce: true, IsClosed: false } && frontend.Outcomes.All(outcome => IsBalanced(outcome.Destination)));

    private string Verdict(ServicePortExplanation port)
    {
        if (EndpointAsked(port) is { } endpoint)
            return $"endpoint {endpoint.Target} is {(IsServed(port) ? "in" : "OUT")}, {CauseWords.Of(endpoint.ForCluster)}";
        var concerned = port.Frontends.Where(Concerns).ToList();
        if (concerned.Count == 0) return "it has no frontend of that kind";
        if (concerned.TrueForAll(frontend => !frontend.IsInForce)) return "NOT IN FORCE";
        if (concerned.TrueForAll(frontend => frontend.IsClosed)) return "DROPPED";
        var groups = concerned.Where(frontend => frontend is { IsInForce: true, IsClosed: false }).SelectMany(frontend => frontend.Outcomes).GroupBy(outcome => outcome.Destination)
            .OrderBy(group => group.Key).Select(group => (Clients: group.Select(outcome => outcome.Client).Distinct().Order().ToList(), Text: Fate(port, group.Key))).ToList();
        return groups.Count == 1 ? groups[0].Text : string.Join("; ", groups.Select(group => $"{Listed(group.Clients)}: {group.Text}"));
    }

    private static string Fate(ServicePortExplanation port, Destination destination) => destination switch
    {
        Destination.ClusterEndpoints => $"balanced over {In(port, each => each.ForCluster, port.Plan.ClusterEndpoints.Length)}",
        Destination.LocalEndpoints => $"balanced over {In(port, each => each.ForLocal, port.Plan.LocalEndpoints.Length)}, those on this node",
        Destination.Reject => "REFUSED",
        _ => "DROPPED",
    };

    private EndpointExplanation? EndpointAsked(ServicePortExplanation port) => explanation.Target is ExplainTarget.Address address && !IsFrontend(address)
        ? port.Endpoints.FirstOrDefault(endpoint => endpoint.Target.Address == address.Value && (address.Port is null || endpoint.Target.Port == address.Port)) : null;

    private bool IsFrontend(ExplainTarget.Address address) => explanation.Ports.Any(port => port.Frontends.Any(each => each.Frontend.Key.Address == address.Value));

    private static string In(ServicePortExplanation port, Func<EndpointExplanation, EndpointVerdict> verdict, int planned)
    {
        var used = planned > 0 ? planned : port.Endpoints.Count(endpoint => verdict(endpoint).IsIn());
        return string.Create(CultureInfo.InvariantCulture, $"{used} of {port.EndpointCount} endpoint{(port.EndpointCount == 1 ? "" : "s")}");
    }

    private bool Concerns(FrontendExplanation frontend) => explanation.Target switch
    {
        ExplainTarget.NodePort => frontend.Frontend.Key.Address is null,
        ExplainTarget.Address address when IsFrontend(address) => frontend.Frontend.Key.Address == address.Value,
        _ => true,
    };

    private static void Write(StringBuilder text, ServicePortExplanation port, FrontendExplanation frontend)
    {
        var key = frontend.Frontend.Key;
        var name = frontend.Frontend.Kind switch
        {
            FrontendKind.ClusterIP => $"cluster IP {key}",
            FrontendKind.ExternalIP => $"external IP {key}",
            FrontendKind.LoadBalancerIP => $"load-balancer IP {key}",
            _ => key.ToString(),
        };
        if (!frontend.IsInForce || frontend.IsClosed)
        {
            Line(text, $"  {name}: {(frontend.IsInForce ? "dropped" : "not in force")}");
            return;
        }

        var from = frontend.Frontend.AllowedSources.IsEmpty ? "" : $", from {string.Join(", ", port.Plan.SourceBlocks)} only";
        var groups = frontend.Outcomes.GroupBy(outcome => (outcome.Destination, outcome.Masquerade)).Select(group =>
            $"{Listed(group.Select(outcome => outcome.Client))}: {Word(group.Key.Destination)}{(group.Key.Masquerade && IsBalanced(group.Key.Destination) ? ", with the node's address as source" : "")}");
        Line(text, $"  {name}{from}");
        foreach (var group in groups) Line(text, $"      {group}");
    }

    private static void Endpoints(StringBuilder text, ServicePortExplanation port)
    {
        if (port.EndpointCount == 0) return;
        var local = port.Plan.Frontends.Any(frontend => frontend.UsesLocalEndpoints || frontend.Destination == Destination.Drop);
        Line(text, string.Create(CultureInfo.InvariantCulture, $"  endpoints: {port.EndpointCount}"));
        foreach (var endpoint in port.Endpoints.Take(ShownEndpoints))
        {
            var zones = endpoint.Zones is { } names ? $", hinted to zone {string.Join(", ", names)}" : "";
            var forLocal = local ? $"; for policy Local {(endpoint.ForLocal.IsIn() ? "in" : "out")}, {CauseWords.Of(endpoint.ForLocal)}" : "";
            Line(text, $"      {(endpoint.ForCluster.IsIn() ? "in " : "out")} {endpoint.Target}  {CauseWords.Of(endpoint.ForCluster)}{forLocal}{(endpoint.IsLocal ? ", on this node" : "")}{zones} ({endpoint.Slice.Name})");
        }

        if (port.EndpointCount > ShownEndpoints) Line(text, string.Create(CultureInfo.InvariantCulture, $"      and {port.EndpointCount - Math.Min(ShownEndpoints, port.Endpoints.Count)} more"));
    }

    private static bool IsBalanced(Destination destination) => destination is Destination.ClusterEndpoints or Destination.LocalEndpoints;

    private static string Listed(IEnumerable<ClientKind> clients) => string.Join(", ", clients.Select(Word));

    private static string Word(ClientKind client) => client switch { ClientKind.Pod => "pods", ClientKind.Node => "this node", _ => "outside" };

    private static string Word(Destination destination) => destination switch
    {
        Destination.ClusterEndpoints => "balanced over the endpoints",
        Destination.LocalEndpoints => "balanced over the endpoints on this node",
        Destination.Reject => "refused",
        _ => "dropped",
    };

    private static void Line(StringBuilder text, string line) => text.Append(SingleLine.Of(line)).Append('\n');
}
