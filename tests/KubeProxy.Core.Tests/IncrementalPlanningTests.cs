using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>
/// Whatever happens in whatever order, what has been given to the backend equals what planning the final objects from scratch
/// gives. Few names and addresses, so that conflicts, moves and duplicates are frequent.
/// </summary>
public class IncrementalPlanningTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    private static Gen<T> Of<T>(params T[] values) => Gen.Elements(values);

    private static Gen<Service> Services() =>
        from name in Of(Names)
        from ip in Of("10.96.0.1", "10.96.0.2", "None", "bad")
        from dual in Of(true, false)
        from day in Gen.Choose(1, 2)
        from type in Of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
        from inner in Of("Cluster", "Local")
        from outer in Of("Cluster", "Local")
        from external in Of<string[]>([], ["10.96.0.1"], ["198.18.1.1", "fd00::9"], ["junk"])
        from ingress in Of<string[]>([], ["198.18.2.1"], ["198.18.1.1"])
        from ranges in Of<string[]>([], ["10.0.0.0/8"], ["203.0.113.0/24"])
        from ports in Of<ServicePort[]>([], [new() { Port = 80 }], [new() { Name = "x", Port = 80, NodePort = 30080 }, new() { Port = 81, NodePort = 30081 }], [new() { Port = 80, NodePort = 30080 }], [new() { Port = 53, Protocol = "UDP" }])
        select Service(name, ip, spec => spec with
        {
            Type = type,
            ClusterIPs = dual ? [ip, "fd00::1"] : [ip],
            IPFamilies = dual ? ["IPv4", "IPv6"] : ["IPv4"],
            InternalTrafficPolicy = inner,
            ExternalTrafficPolicy = outer,
            ExternalIPs = external,
            LoadBalancerSourceRanges = ranges,
            HealthCheckNodePort = 32000,
            Ports = ports,
        }).WithIngress(ingress) with
        {
            Metadata = new ObjectMeta { Name = name, Namespace = "default", CreationTimestamp = new(2025, 1, day, 0, 0, 0, TimeSpan.Zero) },
        };

    private static Gen<Endpoint> Endpoints(bool v6) =>
        from last in Gen.Choose(1, 4)
        from node in Of(Node1, "node2")
        from state in Gen.Choose(0, 3)
        from zone in Of<string[]?>(null, ["zone-a"], ["zone-b"], ["zone-a", "zone-b"])
        from nodes in Of<string[]?>(null, null, [Node1])
        select At(v6 ? $"fd00:1::{last}" : $"10.0.0.{last}", node, state == 0, state <= 1, state is 1 or 2, zone, nodes);

    private static Gen<EndpointSlice> Slices() =>
        from name in Of("s1", "s2", "s3", "s4")
        from service in Of(Names)
        from v6 in Of(false, false, true)
        from count in Gen.Choose(0, 4)
        from endpoints in Endpoints(v6).ArrayOf(count)
        from ports in Of<EndpointPort[]>([new() { Port = 8080 }], [new() { Name = "x", Port = 8080 }, new() { Port = 9090 }], [new() { Port = 53, Protocol = "UDP" }], [])
        select Slice(name, service, endpoints) with { AddressType = v6 ? "IPv6" : "IPv4", Ports = ports };

    private static Gen<KubernetesObject> Nodes() =>
        from zone in Of(null, "zone-a", "zone-b")
        from address in Of(null, "203.0.113.11", "192.0.2.1")
        select (KubernetesObject)Node(zone, address);

    private static Gen<KubernetesObject> Cidrs() =>
        from name in Of("x", "y")
        from cidrs in Of<string[]>(["10.96.0.0/12"], ["10.96.0.0/12", "fd00::/108"], ["bad"])
        select (KubernetesObject)new ServiceCIDR { Metadata = new ObjectMeta { Name = name }, Spec = new ServiceCIDRSpec { Cidrs = cidrs } };

    private sealed record Step(KubernetesObject Object, bool Delete, bool Take);

    private static Arbitrary<Step[]> Histories() => Arb.From(
        (from value in Gen.Frequency(
            (4, Services().Select(s => (KubernetesObject)s)), (5, Slices().Select(s => (KubernetesObject)s)), (1, Nodes()), (1, Cidrs()))
         from delete in Gen.Choose(0, 3)
         from take in Gen.Choose(0, 2)
         select new Step(value, delete == 0 && value.Kind != ObjectKind.Node, take == 0)).ArrayOf());

    [Fact]
    public void Incremental_equals_from_scratch() => Prop.ForAll(Histories(), history =>
    {
        var objects = new Dictionary<(ObjectKind, NamespacedName), KubernetesObject>();
        var cluster = new TestCluster();
        var given = new Given();
        foreach (var step in history)
        {
            var key = (step.Object.Kind, step.Object.Name);
            if (step.Delete)
            {
                objects.Remove(key);
                cluster.State.Delete(step.Object.Kind, step.Object.Name);
            }
            else
            {
                objects[key] = step.Object;
                cluster.State.Upsert(step.Object);
            }

            if (step.Take) given.Apply(cluster);
        }

        given.Apply(cluster);
        var fresh = new TestCluster(null, objects.Values.Reverse());
        var expected = new Given();
        expected.Apply(fresh);

        Assert.Equal(expected.Plans.OrderBy(p => p.Key), given.Plans.OrderBy(p => p.Key));
        Assert.Equal(expected.Nodes.OrderBy(p => p.Key), given.Nodes.OrderBy(p => p.Key));
        Assert.Equal(fresh.Complaints(), cluster.Complaints());
        foreach (var (left, right) in cluster.State.Families.Zip(fresh.State.Families))
        {
            Assert.Equal((right.PortCount, right.ServiceCount, right.InternalWithoutLocal, right.ExternalWithoutLocal),
                (left.PortCount, left.ServiceCount, left.InternalWithoutLocal, left.ExternalWithoutLocal));
            Assert.Equal(fresh.State.Take(right).Health.ToArray(), cluster.State.Take(left).Health.ToArray());
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithEndSize(60));

    [Fact]
    public void No_key_is_planned_twice_and_every_claim_has_a_winner() => Prop.ForAll(Histories(), history =>
    {
        var cluster = new TestCluster();
        foreach (var step in history) cluster.State.Upsert(step.Object);
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var keys = cluster.Plans(family).SelectMany(plan => plan.Frontends).Select(frontend => frontend.Key).ToList();
            Assert.Equal(keys.Count, keys.Distinct().Count());
            Assert.Equal(keys.Count, (family == IpFamily.IPv4 ? cluster.IPv4 : cluster.IPv6).Arbiter.KeyCount);
            Assert.All(cluster.Plans(family), CheckInvariants);
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithEndSize(60));

    [Fact]
    public void Nothing_is_left_when_everything_is_deleted() => Prop.ForAll(Histories(), history =>
    {
        var cluster = new TestCluster();
        var given = new Given();
        foreach (var step in history)
        {
            cluster.State.Upsert(step.Object);
            if (step.Take) given.Apply(cluster);
        }

        foreach (var step in history) cluster.State.Delete(step.Object.Kind, step.Object.Name);
        given.Apply(cluster);
        Assert.Empty(given.Plans);
        Assert.Empty(cluster.Complaints());
        var left = cluster.State.Read(t => (t.Services.Count, t.Slices.Count, t.Slices.ServiceCount, t.Slices.EndpointCount, t.ServiceCidrs.Names.Count));
        Assert.Equal((0, 0, 0, 0, 0), left);
        Assert.All(cluster.State.Families, family =>
            Assert.Equal((0, 0, 0, 0), (family.ServiceCount, family.Arbiter.OwnerCount, family.Arbiter.KeyCount, family.Arbiter.ContestedCount)));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithEndSize(60));

    private static void CheckInvariants(ServicePortPlan plan)
    {
        foreach (var frontend in plan.Frontends)
        {
            if (frontend.Destination == Destination.ClusterEndpoints || frontend.ShortCircuit) Assert.NotEmpty(plan.ClusterEndpoints);
            if (frontend.Destination == Destination.LocalEndpoints) Assert.NotEmpty(plan.LocalEndpoints);
        }

        Assert.Equal(plan.ClusterEndpoints.Distinct().Order(), plan.ClusterEndpoints);
        Assert.Equal(plan.LocalEndpoints.Distinct().Order(), plan.LocalEndpoints);
        Assert.Equal(plan.HairpinAddresses.Distinct().Order(), plan.HairpinAddresses);
        var used = plan.ClusterEndpoints.Concat(plan.LocalEndpoints).Select(endpoint => endpoint.Address).ToHashSet();
        Assert.Subset(used, plan.HairpinAddresses.ToHashSet());
    }

    /// <summary>What a backend would know.</summary>
    private sealed class Given
    {
        public Dictionary<(IpFamily, ServicePortName), ServicePortPlan> Plans { get; } = [];

        public Dictionary<IpFamily, NodePlan> Nodes { get; } = [];

        public void Apply(TestCluster cluster)
        {
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            {
                var changes = cluster.Take(family);
                foreach (var name in changes.Removed) Assert.True(Plans.Remove((family, name)));
                foreach (var plan in changes.Updated)
                {
                    Assert.False(Plans.TryGetValue((family, plan.Name), out var before) && before == plan, "an equal plan was given again");
                    Plans[(family, plan.Name)] = plan;
                }

                if (changes.Node is { } node) Nodes[family] = node;
            }
        }
    }
}
