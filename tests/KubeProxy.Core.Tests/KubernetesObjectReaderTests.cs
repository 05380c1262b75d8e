using System.Text;
using System.Text.Json.Nodes;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Core.Tests;

public class KubernetesObjectReaderTests
{
    private readonly KubernetesObjectReader _reader = new();

    private IReadOnlyList<DocumentItem> Read(string json) => _reader.ReadDocument(Encoding.UTF8.GetBytes(json));

    private T Single<T>(string json) where T : KubernetesObject => Assert.IsType<T>(Assert.Single(Read(json)).Object);

    [Fact]
    public void A_whole_service()
    {
        var service = Single<Service>("""
            {"apiVersion": "v1", "kind": "Service", "unknown": {"a": [1, {"b": null}]},
             "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2025-01-02T03:04:05Z", "labels": {"a": "b"}, "managedFields": []},
             "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ipFamilies": ["IPv4"], "selector": {"app": "web"},
                      "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080, "protocol": "TCP", "appProtocol": null},
                                {"name": "alt", "port": 81, "targetPort": 8081}],
                      "externalIPs": ["198.18.1.1"], "loadBalancerSourceRanges": ["10.0.0.0/8"], "healthCheckNodePort": 32000,
                      "internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local",
                      "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}},
             "status": {"loadBalancer": {"ingress": [{"ip": "198.18.2.1", "ipMode": "VIP"}, {"hostname": "lb"}]}}}
            """);
        Assert.Equal("shop/web", service.Name.ToString());
        Assert.Equal(new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero), service.Metadata.CreationTimestamp);
        Assert.Equal("LoadBalancer 10.96.0.1 Local Local ClientIP 60 32000", string.Join(' ', service.Spec.Type, service.Spec.ClusterIP,
            service.Spec.InternalTrafficPolicy, service.Spec.ExternalTrafficPolicy, service.Spec.SessionAffinity,
            service.Spec.SessionAffinityConfig!.ClientIP!.TimeoutSeconds, service.Spec.HealthCheckNodePort));
        Assert.Equal(["10.96.0.1"], service.Spec.ClusterIPs);
        Assert.Equal(["IPv4"], service.Spec.IPFamilies);
        Assert.Equal(["198.18.1.1"], service.Spec.ExternalIPs);
        Assert.Equal(["10.0.0.0/8"], service.Spec.LoadBalancerSourceRanges);
        Assert.Equal([("http", 80, 30080), ("alt", 81, null)], service.Spec.Ports.Select(p => (p.Name, p.Port, p.NodePort)));
        Assert.Equal([("198.18.2.1", "VIP"), (null, null)], service.Status.LoadBalancer!.Ingress.Select(i => (i.IP, i.IPMode)));
    }

    [Fact]
    public void A_whole_slice()
    {
        var slice = Single<EndpointSlice>("""
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": "web-a", "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2025-01-01T00:00:00Z"}},
             "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true, "serving": null}, "nodeName": "n", "zone": "z",
                            "hints": {"forZones": [{"name": "a"}], "forNodes": [{"name": "n"}]}}, {"addresses": null, "conditions": null}],
             "ports": [{"name": null, "port": 8080}]}
            """);
        Assert.Equal("default/web-a", slice.Name.ToString());
        Assert.Equal((true, null, null), (slice.Endpoints[0].Conditions!.Ready, slice.Endpoints[0].Conditions!.Serving, slice.Endpoints[0].Conditions!.Terminating));
        Assert.Equal(("a", "n"), (slice.Endpoints[0].Hints!.ForZones[0].Name, slice.Endpoints[0].Hints!.ForNodes[0].Name));
        Assert.Empty(slice.Endpoints[1].Addresses);
        Assert.Equal(8080, Assert.Single(slice.Ports).Port);
    }

    [Fact]
    public void Node_and_service_cidr()
    {
        var node = Single<Node>("""{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n", "namespace": "ignored"}, "spec": {"podCIDRs": ["10.244.1.0/24"], "taints": [{"key": "k"}]}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}}""");
        Assert.Equal(("n", "k", "10.0.0.1", "10.244.1.0/24"), (node.Name.ToString(), node.Spec.Taints[0].Key, node.Status.Addresses[0].Address, node.Spec.PodCidrs[0]));
        var cidr = Single<ServiceCIDR>("""{"kind": "ServiceCIDR", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12"]}}""");
        Assert.Equal("10.96.0.0/12", Assert.Single(cidr.Spec.Cidrs));
    }

    [Theory]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a"}, "spec": null, "status": null}""")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a", "labels": null}, "spec": {"ports": null, "clusterIPs": [null], "externalIPs": null}}""")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a", "creationTimestamp": null}, "spec": {"ports": [null]}, "status": {"loadBalancer": {"ingress": null}}}""")]
    public void Null_is_like_missing(string json)
    {
        var service = Single<Service>(json);
        Assert.Empty(service.Spec.Ports);
        Assert.Empty(service.Spec.ClusterIPs);
        Assert.Empty(service.Spec.ExternalIPs);
    }

    [Theory]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}, {"port": "80"}]}}""", "default/a", "spec.ports[1].port")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 99999999999}]}}""", "default/a", "spec.ports[0].port")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80.5}]}}""", "default/a", "spec.ports[0].port")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a", "namespace": "b"}, "spec": {"ports": {}}}""", "b/a", "spec.ports")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": 10}}""", "default/a", "spec.clusterIP")]
    [InlineData("""{"kind": "Service", "metadata": {"name": "a", "creationTimestamp": "yesterday"}}""", "default/a", "metadata.creationTimestamp")]
    [InlineData("""{"kind": "Service", "metadata": {"namespace": "b"}}""", "", "metadata.name")]
    [InlineData("""{"kind": "Service", "metadata": []}""", "", "metadata")]
    public void Errors_name_the_object_and_the_field(string json, string name, string field)
    {
        var error = Assert.Single(Read(json)).Error;
        Assert.NotNull(error);
        Assert.Equal(("Service", field), (error.Kind, error.Field));
        Assert.Equal(name.Replace("default/", "", StringComparison.Ordinal), error.Name);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Path:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("KubeProxy.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_are_read_item_by_item()
    {
        var items = Read("""
            {"kind": "List", "apiVersion": "v1", "items": [
              {"kind": "Service", "metadata": {"name": "a"}},
              {"kind": "Service", "metadata": {"name": "b"}, "spec": 1},
              {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "c"}},
              {"kind": "Service", "apiVersion": "serving.knative.dev/v1", "metadata": {"name": "d"}},
              7]}
            """);
        Assert.Equal("default/a", items[0].Object!.Name.ToString());
        Assert.Equal("spec", items[1].Error!.Field);
        Assert.Equal(("apps/v1 Deployment", "c"), (items[2].UnknownKind, items[2].Name));
        Assert.Equal("serving.knative.dev/v1 Service", items[3].UnknownKind);
        Assert.NotNull(items[4].Error);
        Assert.Equal(5, items.Count);
    }

    [Fact]
    public void Items_of_a_typed_list_need_no_kind() =>
        Assert.Equal("default/a", Single<Service>("""{"kind": "ServiceList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}""").Name.ToString());

    [Fact]
    public void Nodes_are_read_like_text() => Assert.IsType<Service>(
        Assert.Single(_reader.ReadDocument(JsonNode.Parse("""{"kind": "Service", "metadata": {"name": "a"}}"""))).Object);

    [Fact]
    public void A_known_kind_is_read_without_being_named()
    {
        var service = _reader.Read(ObjectKind.Service, """{"metadata": {"name": "a"}}"""u8);
        Assert.Equal("default/a", service.Name.ToString());
        var error = Assert.Throws<KubernetesObjectException>(() => _reader.Read(ObjectKind.Service, "{\"metadata\": "u8));
        Assert.Equal("Service", error.Kind);
    }

    [Fact]
    public void Equal_strings_are_one()
    {
        var first = Single<EndpointSlice>("""{"kind": "EndpointSlice", "metadata": {"name": "a"}, "endpoints": [{"nodeName": "node-17"}, {"nodeName": "node-17"}]}""");
        Assert.Same(first.Endpoints[0].NodeName, first.Endpoints[1].NodeName);
    }

    [Fact]
    public void Damaged_documents_never_throw_anything_else()
    {
        var random = new Random(4711);
        var original = File.ReadAllBytes(Path.Combine(ConformanceCaseTests.Cases, "lb-local.json"));
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])original.Clone();
            for (var n = random.Next(1, 8); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            foreach (var item in _reader.ReadDocument(bytes.AsMemory(0, random.Next(bytes.Length + 1))))
            {
                if (item.Object is { } value) new TestCluster().State.Upsert(value);
            }
        }
    }

    [Theory]
    [InlineData("{\"kind\": \"Service\", \"metadata\": {\"name\": \"\\ud800\"}}")]
    [InlineData("{\"kind\": \"\\ud800\", \"metadata\": {\"name\": \"a\"}}")]
    public void Strings_that_are_no_text_are_errors(string json) => Assert.NotNull(Assert.Single(Read(json)).Error);
}
