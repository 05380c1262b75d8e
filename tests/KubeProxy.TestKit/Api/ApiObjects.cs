using System.Text.Json.Nodes;

namespace KubeProxy.TestKit.Api;

/// <summary>Objects as the API server has them, with what a proxy does not need too.</summary>
public static class ApiObjects
{
    /// <summary>A Service in namespace <c>default</c>.</summary>
    public static JsonObject Service(string name, string clusterIP = "10.0.0.1", int port = 80, JsonObject? labels = null) => new()
    {
        ["metadata"] = Metadata(name, labels, isNamespaced: true),
        ["spec"] = new JsonObject
        {
            ["type"] = "ClusterIP",
            ["clusterIP"] = clusterIP,
            ["clusterIPs"] = new JsonArray(clusterIP),
            ["ipFamilies"] = new JsonArray("IPv4"),
            ["ipFamilyPolicy"] = "SingleStack",
            ["selector"] = new JsonObject { ["app"] = name },
            ["sessionAffinity"] = "None",
            ["internalTrafficPolicy"] = "Cluster",
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["protocol"] = "TCP", ["port"] = port, ["targetPort"] = 8080 }),
        },
        ["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() },
    };

    /// <summary>An EndpointSlice of a Service.</summary>
    public static JsonObject Slice(string name, string service, IEnumerable<string> addresses, JsonObject? labels = null)
    {
        var all = labels ?? [];
        all["kubernetes.io/service-name"] = service;
        all["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io";
        return new JsonObject
        {
            ["metadata"] = Metadata(name, all, isNamespaced: true),
            ["addressType"] = "IPv4",
            ["endpoints"] = new JsonArray([.. addresses.Select(Endpoint)]),
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["protocol"] = "TCP", ["port"] = 8080 }),
        };
    }

    public static JsonObject Node(string name, string address = "192.168.0.1") => new()
    {
        ["metadata"] = Metadata(name, new JsonObject { ["topology.kubernetes.io/zone"] = "zone-a" }, isNamespaced: false),
        ["spec"] = new JsonObject { ["podCIDRs"] = new JsonArray("10.244.0.0/24") },
        ["status"] = new JsonObject { ["addresses"] = new JsonArray(new JsonObject { ["type"] = "InternalIP", ["address"] = address }) },
    };

    public static JsonObject ServiceCidr(string name, params string[] blocks) => new()
    {
        ["metadata"] = Metadata(name, null, isNamespaced: false),
        ["spec"] = new JsonObject { ["cidrs"] = new JsonArray([.. blocks.Select(block => JsonValue.Create(block))]) },
    };

    private static JsonObject Endpoint(string address) => new()
    {
        ["addresses"] = new JsonArray(address),
        ["conditions"] = new JsonObject { ["ready"] = true, ["serving"] = true, ["terminating"] = false },
        ["nodeName"] = "node" + address[^1],
        ["targetRef"] = new JsonObject { ["kind"] = "Pod", ["name"] = "pod-" + address, ["namespace"] = "default", ["uid"] = "6f1c51c0-7ba1-4d9b-8a86-c4c0f8d8e2c8" },
        ["zone"] = "zone-a",
    };

    private static JsonObject Metadata(string name, JsonObject? labels, bool isNamespaced)
    {
        var metadata = new JsonObject
        {
            ["name"] = name,
            ["uid"] = "0b6a4a53-9d13-4d0e-92f4-6f7b8f2f4e11",
            ["creationTimestamp"] = "2026-01-01T00:00:00Z",
            ["annotations"] = new JsonObject { ["kubectl.kubernetes.io/last-applied-configuration"] = """{"a":"\"{[quoted]}\"\\"}""" },
            ["managedFields"] = new JsonArray(new JsonObject
            {
                ["manager"] = "kube-controller-manager",
                ["operation"] = "Update",
                ["fieldsV1"] = new JsonObject { ["f:spec"] = new JsonObject { ["f:clusterIP"] = new JsonObject(), ["f:ports"] = new JsonObject() } },
            }),
        };
        if (isNamespaced) metadata["namespace"] = "default";
        if (labels is not null) metadata["labels"] = labels;
        return metadata;
    }
}
