using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Core.Tests;

/// <summary>Trackers and planners without an engine around them.</summary>
internal sealed class TestCluster
{
    private readonly ServicePlans _plans;

    public TestCluster(ProxyOptions? options = null, params IEnumerable<KubernetesObject> objects)
    {
        _plans = new ServicePlans(options ?? Objects.Options, [IpFamily.IPv4, IpFamily.IPv6], NullLogger.Instance, DateTimeOffset.UnixEpoch);
        foreach (var value in objects) _plans.Upsert(value);
    }

    public ClusterState State => _plans.State;

    public IReadOnlyList<ObjectProblem> Problems => _plans.Problems;

    public FamilyPlanner IPv4 => State.Families[0];

    public FamilyPlanner IPv6 => State.Families[1];

    public PlanChanges Take(IpFamily family = IpFamily.IPv4) => State.Take(family == IpFamily.IPv4 ? IPv4 : IPv6).Changes;

    public ServicePortPlan Plan(string service, IpFamily family = IpFamily.IPv4) =>
        Plans(family).Single(plan => plan.Name.Service == Objects.Named(service));

    public IReadOnlyList<ServicePortPlan> Plans(IpFamily family = IpFamily.IPv4)
    {
        Take(family);
        return _plans.Get(family);
    }

    public string[] Complaints() => [.. Problems.Select(problem => problem.ToString())];
}
