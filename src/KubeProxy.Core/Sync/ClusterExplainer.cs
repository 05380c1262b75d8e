using KubeProxy.Core.Explaining;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Tracking;

namespace KubeProxy.Core.Sync;

/// <summary>Finds what a target concerns, and has it explained. Costs a walk over all Services; used when somebody asks.</summary>
/// <param name="trackers">What is known.</param>
/// <param name="families">The planners.</param>
/// <param name="masquerade">Which connections to cluster IPs are masqueraded; null when that is not known here.</param>
internal sealed class ClusterExplainer(Trackers trackers, IReadOnlyList<FamilyPlanner> families, Func<IpFamily, MasqueradePolicy?> masquerade)
{
    /// <summary>Explains the target.</summary>
    public Explanation Explain(ExplainTarget target) => target switch
    {
        ExplainTarget.Service service => Of(service),
        ExplainTarget.NodePort port => Found(target, ByNodePort(port)) ?? Unknown(target, $"no Service has the node port {port.Port}: what arrives there is none of this proxy's"),
        ExplainTarget.Address address => Of(address),
        _ => throw new ArgumentException($"{target} is no target.", nameof(target)),
    };

    private Explanation Of(ExplainTarget.Service target)
    {
        if (!trackers.Services.TryGet(target.Name, out var service))
            return new Explanation { Target = target, Causes = [WhyNot(target.Name), .. ProblemsOf(target.Name)] };
        var ports = service.Ports.Where(port => target.Means(port.Name, port.Port, port.Protocol)).ToList();
        if (ports.Count == 0)
            return new Explanation { Target = target, Causes = [new Cause(CauseKind.PortUnknown, $"{service.Name} has no such port; it has {PortsOf(service)}"), .. ProblemsOf(target.Name)] };
        return Found(target, ports.SelectMany(port => families.Select(family => (service, port, family))))
            ?? Unknown(target, $"{service.Name} has no address of a family that is programmed");
    }

    private Explanation Of(ExplainTarget.Address target)
    {
        var family = families.FirstOrDefault(each => each.Family == target.Value.Family);
        if (family is null) return Unknown(target, $"{target.Value.Family} is not programmed on this node");
        var owners = trackers.Services.All.Where(service => Has(service, target.Value)).ToList();
        var ports = owners.SelectMany(service => service.Ports.Where(port => Means(target, port.Port, port.Protocol)).Select(port => (service, port, family)));
        if (Found(target, ports) is { } found) return found;
        if (owners.Count > 0)
            return new Explanation { Target = target, Causes = [.. owners.Select(owner => new Cause(CauseKind.PortUnknown, $"{target.Value} is an address of {owner.Name}, which has no such port; it has {PortsOf(owner)}"))] };
        if (Found(target, ByEndpoint(target, family)) is { } endpoint) return endpoint;
        if (trackers.ForeignAddresses.OwnerOf(target.Value) is { } node) return Unknown(target, $"{target.Value} is an address of {node}: no Service has it, and no endpoint");
        return trackers.ServiceCidrs.Of(family.Family).Any(cidr => cidr.Contains(target.Value))
            ? Unknown(target, $"{target.Value} lies in the ServiceCIDRs, and no Service has it")
            : Unknown(target, $"no Service and no endpoint has the address {target.Value}: what is sent there is none of this proxy's");
    }

    // The owner of a contested frontend first.
    private Explanation? Found(ExplainTarget target, IEnumerable<(ServiceDefinition Service, PortDefinition Port, FamilyPlanner Family)> ports)
    {
        var all = ports.Where(each => each.Service.AddressesOf(each.Family.Family) is not null).ToList();
        if (all.Count == 0) return null;
        var explained = all.Take(Explanation.MostPorts)
            .Select(each => new PortExplainer(trackers, each.Family, masquerade(each.Family.Family)).Explain(each.Service, each.Port))
            .OrderBy(each => each.Frontends.Any(frontend => !frontend.IsInForce && Concerns(target, frontend.Frontend.Key)));
        return new Explanation
        {
            Target = target, Ports = [.. explained], MorePorts = Math.Max(0, all.Count - Explanation.MostPorts),
            Causes = [.. explained.SelectMany(each => each.Frontends.Where(frontend => frontend.IsConflict && Concerns(target, frontend.Frontend.Key)).Select(frontend =>
                new Cause(CauseKind.Conflict, $"{each.Name} claims {frontend.Frontend.Key} as well, which is not in force for it: {frontend.Reason}")))],
        };
    }

    private static bool Concerns(ExplainTarget target, FrontendKey key) => target switch
    {
        ExplainTarget.Address address => key.Address == address.Value,
        ExplainTarget.NodePort => key.Address is null,
        _ => false,
    };

    private IEnumerable<(ServiceDefinition, PortDefinition, FamilyPlanner)> ByNodePort(ExplainTarget.NodePort target) =>
        from service in trackers.Services.All
        from port in service.Ports
        where port.NodePort == target.Port && (target.Protocol is null || target.Protocol == port.Protocol)
        from family in families
        select (service, port, family);

    private IEnumerable<(ServiceDefinition, PortDefinition, FamilyPlanner)> ByEndpoint(ExplainTarget.Address target, FamilyPlanner family)
    {
        HashSet<(NamespacedName, string, Protocol)> seen = [];
        foreach (var slice in trackers.Slices.All)
        {
            if (!slice.Endpoints.Any(endpoint => endpoint.Address == target.Value) || !trackers.Services.TryGet(slice.Service, out var service)) continue;
            foreach (var port in slice.Ports.Where(port => Means(target, port.Port, port.Protocol)))
            {
                foreach (var own in service.Ports.Where(own => own.Name == port.Name && own.Protocol == port.Protocol))
                    if (seen.Add((service.Name, own.Name, own.Protocol))) yield return (service, own, family);
            }
        }
    }

    private static bool Means(ExplainTarget.Address target, ushort port, Protocol protocol) =>
        (target.Port is null || target.Port == port) && (target.Protocol is null || target.Protocol == protocol);

    private static bool Has(ServiceDefinition service, IpAddr address) => service.AddressesOf(address.Family) is { } addresses
        && (addresses.ClusterIP == address || addresses.ExternalIPs.Contains(address) || addresses.LoadBalancerIPs.Contains(address));

    private Cause WhyNot(NamespacedName name) => trackers.Services.WhyNot(name) switch
    {
        NotProxied.OtherProxy => new Cause(CauseKind.OtherProxy, $"{name} has the label {WellKnownNames.ServiceProxyNameLabel}: it is another proxy's, and this one does nothing about it"),
        NotProxied.ExternalName => new Cause(CauseKind.ExternalName, $"{name} is of type ExternalName: DNS alone answers for it, and there is nothing to proxy"),
        NotProxied.Headless => new Cause(CauseKind.Headless, $"{name} is headless (clusterIP None): DNS answers with its endpoints, and there is nothing to proxy"),
        NotProxied.NoClusterIP => new Cause(CauseKind.NoClusterIP, $"{name} has no cluster IP (yet): there is nothing to proxy"),
        NotProxied.Unusable => new Cause(CauseKind.Unusable, $"{name} cannot be used"),
        _ => new Cause(CauseKind.ServiceUnknown, $"there is no Service {name}"),
    };

    private IEnumerable<Cause> ProblemsOf(NamespacedName service) =>
        trackers.Problems.Of(ObjectKind.Service, service).Select(problem => new Cause(CauseKind.Problem, problem.ToString()));

    private static Explanation Unknown(ExplainTarget target, string text) => new() { Target = target, Causes = [new Cause(CauseKind.TargetUnknown, text)] };

    private static string PortsOf(ServiceDefinition service) => service.Ports.IsEmpty ? "none"
        : string.Join(", ", service.Ports.Take(8).Select(port => $"{(port.Name.Length > 0 ? port.Name + " " : "")}{port.Port}/{port.Protocol.ToLowerName()}"));
}
