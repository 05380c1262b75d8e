using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>Histories of changes to a few services, and of what else may happen to a backend.</summary>
internal static class PlanHistory
{
    public static Gen<PlanStep[]> Any()
    {
        var step =
            from kind in Gen.Choose(0, 11)
            from service in Gen.Choose(0, 4)
            from shape in Gen.Choose(0, 5)
            from pods in Gen.ArrayOf(Gen.Choose(0, 6))
            select new PlanStep(kind, service, shape, [.. pods.Distinct()]);
        return Gen.ArrayOf(step);
    }
}

/// <summary>One event: a plan that is new or changed, unless the kind says something else.</summary>
internal sealed record PlanStep(int Kind, int Service, int Shape, ImmutableArray<int> Pods)
{
    // Every other kind is a plan.
    public const int Removal = 8;
    public const int Restart = 9;
    public const int LostAnswer = 10;
    public const int ForeignEdit = 11;

    public ServicePortPlan ToPlan()
    {
        var endpoints = Plans.Endpoints([.. Pods]);
        var local = Plans.Endpoints([.. Pods.Where(pod => pod < 3)]);
        var none = endpoints.IsEmpty ? Destination.Reject : Destination.ClusterEndpoints;
        var clusterIp = Plans.Frontend(FrontendKind.ClusterIP, $"10.96.0.{Service}", 80, none);
        var nodePort = Plans.Frontend(FrontendKind.NodePort, null, (ushort)(30000 + Service), none);
        var plan = new ServicePortPlan { Name = Plans.Name($"s{Service}"), Family = IpFamily.IPv4, ClusterEndpoints = endpoints, Frontends = [clusterIp] };
        var localDestination = !local.IsEmpty ? Destination.LocalEndpoints : endpoints.IsEmpty ? Destination.Reject : Destination.Drop;
        return Shape switch
        {
            0 or 1 => plan,
            2 => plan with { Frontends = [clusterIp, nodePort with { Masquerade = !endpoints.IsEmpty }] },
            3 => plan with
            {
                LocalEndpoints = local,
                HairpinAddresses = [.. local.Select(e => e.Address)],
                Frontends = [clusterIp, nodePort with { Destination = localDestination, ShortCircuit = !endpoints.IsEmpty }],
            },
            4 => plan with { AffinityTimeout = TimeSpan.FromSeconds(100 + Pods.Length) },
            _ => plan with
            {
                Frontends =
                [
                    clusterIp,
                    Plans.Frontend(FrontendKind.LoadBalancerIP, "198.18.20." + Service, 80, none) with
                    {
                        Masquerade = !endpoints.IsEmpty,
                        AllowedSources = [.. Pods.Select(p => new IpRange(IpAddr.Parse($"203.0.{p}.0"), IpAddr.Parse($"203.0.{p}.99")))],
                    },
                ],
            },
        };
    }

    public override string ToString() => $"({Kind} s{Service} shape {Shape} pods {string.Join(',', Pods)})";
}
