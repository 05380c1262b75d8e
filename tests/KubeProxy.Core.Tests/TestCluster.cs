using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Core.Tracking;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Core.Tests;

/// <summary>Trackers and planners without an engine around them.</summary>
internal sealed class TestCluster
{
    public TestCluster(ProxyOptions? options = null, params IEnumerable<KubernetesObject> objects)
    {
        Problems = new ProblemRegistry(NullLogger.Instance);
        State = new ClusterState(options ?? Objects.Options, [IpFamily.IPv4, IpFamily.IPv6], Problems, DateTimeOffset.UnixEpoch);
        foreach (var value in objects) State.Upsert(value);
    }

    public ProblemRegistry Problems { get; }

    public ClusterState State { get; }

    public FamilyPlanner IPv4 => State.Families[0];

    public FamilyPlanner IPv6 => State.Families[1];

    public PlanChanges Take(IpFamily family = IpFamily.IPv4) => State.Take(family == IpFamily.IPv4 ? IPv4 : IPv6).Changes;

    public ServicePortPlan Plan(string service, IpFamily family = IpFamily.IPv4) =>
        Plans(family).Single(plan => plan.Name.Service == Objects.Named(service));

    public IReadOnlyList<ServicePortPlan> Plans(IpFamily family = IpFamily.IPv4)
    {
        Take(family);
        return (family == IpFamily.IPv4 ? IPv4 : IPv6).Plans;
    }

    public string[] Complaints() => [.. Problems.Snapshot().Select(problem => problem.ToString())];
}
