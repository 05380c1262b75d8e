using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class ServicePlansTests
{
    private static readonly ServicePortName Web = new(Named("web"), "", Protocol.Tcp);

    [Fact]
    public void Objects_in_plans_out()
    {
        var plans = ServicePlans.Of(Options, Slice("web-a", "web", At("10.0.0.1")), Service("web", "10.96.0.1"));
        var plan = Assert.Single(plans.Get(IpFamily.IPv4));
        Assert.Equal((Web, "10.0.0.1:8080"), (plan.Name, Assert.Single(plan.ClusterEndpoints).ToString()));
        Assert.Same(plan, plans.Find(Web, IpFamily.IPv4));
        Assert.Empty(plans.Get(IpFamily.IPv6));
        Assert.Null(plans.Find(Web, IpFamily.IPv6));
        Assert.Empty(plans.Problems);
    }

    [Fact]
    public void What_is_asked_for_is_up_to_date_without_being_taken()
    {
        var plans = new ServicePlans(Options);
        plans.Upsert(Service("web", "10.96.0.1"));
        Assert.Equal(Destination.Reject, Assert.Single(plans.Find(Web, IpFamily.IPv4)!.Frontends).Destination);
        plans.Upsert(Slice("web-a", "web", At("10.0.0.1")));
        Assert.Equal(Destination.ClusterEndpoints, Assert.Single(plans.Find(Web, IpFamily.IPv4)!.Frontends).Destination);
        plans.Delete(ObjectKind.Service, Named("web"));
        Assert.Null(plans.Find(Web, IpFamily.IPv4));
    }

    [Fact]
    public void Whoever_takes_changes_gets_each_once_whatever_was_looked_at_before()
    {
        var plans = ServicePlans.Of(Options, Service("web", "10.96.0.1"), Service("gone", "10.96.0.2"));
        Assert.Equal(2, plans.Get(IpFamily.IPv4).Count);
        plans.Upsert(Slice("web-a", "web", At("10.0.0.1")));
        Assert.Equal(2, plans.Get(IpFamily.IPv4).Count);
        plans.Delete(ObjectKind.Service, Named("gone"));
        Assert.Single(plans.Get(IpFamily.IPv4));

        var first = plans.Take(IpFamily.IPv4);
        Assert.NotNull(first.Node);
        Assert.Equal("10.0.0.1:8080", Assert.Single(Assert.Single(first.Updated).ClusterEndpoints).ToString());
        Assert.Equal(Named("gone"), Assert.Single(first.Removed).Service);
        var second = plans.Take(IpFamily.IPv4);
        Assert.Null(second.Node);
        Assert.Empty(second.Updated);
        Assert.Empty(second.Removed);
    }

    [Fact]
    public void Problems_and_the_node_are_there_too()
    {
        var plans = ServicePlans.Of(Options, Service("web", "10.96.0.1"), Service("late", "10.96.0.1"), new ServiceCIDR { Metadata = new() { Name = "kubernetes" }, Spec = new() { Cidrs = ["10.96.0.0/12", "no"] } });
        Assert.Equal(2, plans.Get(IpFamily.IPv4).Count);
        Assert.Equal(["spec.cidrs[1]", "spec.clusterIPs"], plans.Problems.Select(problem => problem.Field).Order(StringComparer.Ordinal));
        Assert.Equal("10.96.0.0/12", Assert.Single(plans.GetNode(IpFamily.IPv4).ServiceCidrs).ToString());
    }

    [Fact]
    public void What_is_not_in_a_replacement_is_gone()
    {
        var plans = ServicePlans.Of(Options, Service("web", "10.96.0.1"), Service("gone", "10.96.0.2"));
        plans.Replace(ObjectKind.Service, [Service("web", "10.96.0.3")]);
        Assert.Equal("10.96.0.3", Assert.Single(Assert.Single(plans.Get(IpFamily.IPv4)).Frontends).Key.Address.ToString());
        Assert.Throws<ArgumentException>(() => plans.Replace(ObjectKind.Node, [Service("web", "10.96.0.1")]));
    }

    [Fact]
    public void A_family_that_was_not_asked_for_has_none()
    {
        var plans = new ServicePlans(Options, [IpFamily.IPv6]);
        plans.Upsert(Service("web", "10.96.0.1"));
        Assert.Empty(plans.Get(IpFamily.IPv4));
        Assert.Throws<ArgumentException>(() => plans.GetNode(IpFamily.IPv4));
        Assert.Throws<ArgumentException>(() => plans.Take(IpFamily.IPv4));
    }
}
