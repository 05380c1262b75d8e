using System.Text;
using FsCheck;
using FsCheck.Fluent;
using k8s;
using k8s.Models;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Client;
using KubeProxy.TestKit.Api;
using KubernetesObject = KubeProxy.Core.Kubernetes.KubernetesObject;

namespace KubeProxy.Kubernetes.Tests.Client;

/// <summary>What a document says, it says by way of the official client too.</summary>
public sealed class ObjectConversionTests
{
    private static readonly KubernetesObjectReader Reader = new();

    public static TheoryData<ObjectKind, string> Documents() => new()
    {
        { ObjectKind.Service, ApiObjects.Service("web").ToJsonString() },
        { ObjectKind.EndpointSlice, ApiObjects.Slice("web-1", "web", ["10.0.0.1", "10.0.0.2"]).ToJsonString() },
        { ObjectKind.Node, ApiObjects.Node("node1").ToJsonString() },
        { ObjectKind.ServiceCIDR, ApiObjects.ServiceCidr("kubernetes", "10.0.0.0/8", "fd00::/108").ToJsonString() },
        { ObjectKind.Service, """{"metadata":{"name":"bare"}}""" },
        { ObjectKind.EndpointSlice, """{"metadata":{"name":"bare"}}""" },
        { ObjectKind.Node, """{"metadata":{"name":"bare"}}""" },
        { ObjectKind.ServiceCIDR, """{"metadata":{"name":"bare"}}""" },
        { ObjectKind.Service, """{"metadata":{"name":"nulls","labels":null,"annotations":{"a":null}},"spec":{"ports":null,"clusterIPs":[null,"10.0.0.1"],"externalIPs":[],"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":0}}},"status":{"loadBalancer":{"ingress":[null,{"ip":"192.0.2.1","ipMode":"Proxy"}]}}}""" },
        { ObjectKind.Service, """{"metadata":{"name":"targets"},"spec":{"ports":[{"port":80,"targetPort":"http"},{"port":81,"targetPort":8080}]}}""" },
        { ObjectKind.EndpointSlice, """{"metadata":{"name":"nulls"},"endpoints":[null,{"addresses":null,"conditions":null,"hints":{}},{"addresses":["::1"],"conditions":{},"hints":{"forZones":[{"name":"a"},null],"forNodes":null}}],"ports":[null,{},{"name":"","port":0}]}""" },
        { ObjectKind.Node, """{"metadata":{"name":"times","creationTimestamp":"2026-01-02T03:04:05.123456Z","deletionTimestamp":"2026-01-02T03:04:05+02:00"},"spec":null,"status":null}""" },
        { ObjectKind.Service, """{"metadata":{"name":"statusless","namespace":""},"spec":{},"status":{}}""" },
    };

    [Theory]
    [MemberData(nameof(Documents))]
    public void Typical_objects_are_the_same(ObjectKind kind, string json) => AssertSame(kind, json);

    /// <summary>All fields of Core's objects are compared; and all of them were set at some time, so that none is forgotten.</summary>
    [Fact]
    public void Objects_are_the_same_with_any_combination_of_fields()
    {
        HashSet<string> seen = [];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(RandomObjects.Any().ToArbitrary(), entry =>
        {
            CoreObjects.AddFieldsIn(AssertSame(entry.Kind, entry.Json.ToJsonString()), seen);
        }));
        Assert.Empty(CoreObjects.AllFields().Except(seen));
    }

    [Fact]
    public void Object_without_a_name_is_refused()
    {
        Action[] all =
        [
            () => new V1Service().ToCore(), () => new V1Service { Metadata = new V1ObjectMeta { Name = "" } }.ToCore(),
            () => new V1EndpointSlice().ToCore(), () => new V1Node().ToCore(), () => new V1ServiceCIDR().ToCore(),
        ];
        Assert.Equal(
            ["Service metadata.name", "Service metadata.name", "EndpointSlice metadata.name", "Node metadata.name", "ServiceCIDR metadata.name"],
            all.Select(Assert.Throws<KubernetesObjectException>).Select(e => $"{e.Kind} {e.Field}"));
        Assert.Throws<ArgumentNullException>(() => ((V1Service)null!).ToCore());
    }

    [Fact]
    public void Result_is_a_copy()
    {
        var original = new V1Service
        {
            Metadata = new V1ObjectMeta { Name = "web", Labels = new Dictionary<string, string> { ["a"] = "b" } },
            Spec = new V1ServiceSpec { ClusterIPs = ["10.0.0.1"] },
        };
        var converted = original.ToCore();
        original.Metadata.Labels["a"] = "c";
        original.Spec.ClusterIPs[0] = "10.0.0.2";
        Assert.Equal(("b", "10.0.0.1"), (converted.Metadata.Label("a"), converted.Spec.ClusterIPs[0]));
    }

    [Theory]
    [InlineData(DateTimeKind.Utc)]
    [InlineData(DateTimeKind.Unspecified)]
    [InlineData(DateTimeKind.Local)]
    public void Times_are_utc(DateTimeKind kind)
    {
        var utc = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var time = kind == DateTimeKind.Local ? utc.ToLocalTime() : DateTime.SpecifyKind(utc, kind);
        foreach (var each in new[] { time, DateTime.SpecifyKind(DateTime.MinValue, kind), DateTime.SpecifyKind(DateTime.MaxValue, kind) })
            Assert.Equal(TimeSpan.Zero, new V1Node { Metadata = new V1ObjectMeta { Name = "n", CreationTimestamp = each } }.ToCore().Metadata.CreationTimestamp!.Value.Offset);
        Assert.Equal(utc, new V1Node { Metadata = new V1ObjectMeta { Name = "n", CreationTimestamp = time } }.ToCore().Metadata.CreationTimestamp!.Value.UtcDateTime);
    }

    private static KubernetesObject AssertSame(ObjectKind kind, string json)
    {
        var expected = Reader.Read(kind, Encoding.UTF8.GetBytes(json));
        KubernetesObject actual = kind switch
        {
            ObjectKind.Service => KubernetesJson.Deserialize<V1Service>(json).ToCore(),
            ObjectKind.EndpointSlice => KubernetesJson.Deserialize<V1EndpointSlice>(json).ToCore(),
            ObjectKind.Node => KubernetesJson.Deserialize<V1Node>(json).ToCore(),
            _ => KubernetesJson.Deserialize<V1ServiceCIDR>(json).ToCore(),
        };
        Assert.Equal(CoreObjects.Flatten(expected), CoreObjects.Flatten(actual));
        return actual;
    }
}
