using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Tests;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Objects as an API server writes them, with any combination of their fields.</summary>
internal static class RandomObjects
{
    private static readonly Gen<string> Names = Gen.Elements("web", "api", "a-b.c", "\u00fcber", "a-name-that-is-longer-than-what-the-cache-of-strings-takes-which-is-sixty-four");
    private static readonly Gen<string> Addresses = Gen.Elements("10.0.0.1", "10.0.0.2", "2001:db8::1", "None");
    private static readonly Gen<string> Protocols = Gen.Elements("TCP", "UDP", "SCTP");

    public static Gen<(ObjectKind Kind, JsonObject Json)> Any() => Gen.OneOf(
        Service().Select(json => (ObjectKind.Service, json)),
        Slice().Select(json => (ObjectKind.EndpointSlice, json)),
        Node().Select(json => (ObjectKind.Node, json)),
        Cidr().Select(json => (ObjectKind.ServiceCIDR, json)));

    private static Gen<JsonObject> Service() => Object(
        Always("metadata", Metadata()),
        Always("spec", Object(
            Maybe("type", Gen.Elements("ClusterIP", "NodePort", "LoadBalancer").Select(Node)),
            Maybe("clusterIP", Addresses.Select(Node)),
            Maybe("clusterIPs", List(Addresses.Select(Node))),
            Maybe("ipFamilies", List(Gen.Elements("IPv4", "IPv6").Select(Node))),
            Maybe("ipFamilyPolicy", Gen.Constant("SingleStack").Select(Node)),
            Maybe("externalIPs", List(Addresses.Select(Node))),
            Maybe("loadBalancerSourceRanges", List(Gen.Elements("10.0.0.0/8", "::/0").Select(Node))),
            Maybe("selector", Map(Names)),
            Maybe("externalTrafficPolicy", Gen.Elements("Local", "Cluster").Select(Node)),
            Maybe("internalTrafficPolicy", Gen.Elements("Local", "Cluster").Select(Node)),
            Maybe("trafficDistribution", Gen.Constant("PreferClose").Select(Node)),
            Maybe("healthCheckNodePort", Gen.Choose(1, 65535).Select(Node)),
            Maybe("publishNotReadyAddresses", Gen.Constant(true).Select(Node)),
            Maybe("sessionAffinity", Gen.Elements("None", "ClientIP").Select(Node)),
            Maybe("sessionAffinityConfig", Object(Maybe("clientIP", Object(Maybe("timeoutSeconds", Gen.Choose(0, 86400).Select(Node))).Select(Node))).Select(Node)),
            Maybe("ports", List(Object(
                Maybe("name", Names.Select(Node)),
                Maybe("protocol", Protocols.Select(Node)),
                Always("port", Gen.Choose(-1, 70000).Select(Node)),
                Maybe("targetPort", Gen.OneOf(Gen.Choose(1, 65535).Select(Node), Names.Select(Node))),
                Maybe("nodePort", Gen.Choose(1, 65535).Select(Node)),
                Maybe("appProtocol", Names.Select(Node))).Select(Node)))).Select(Node)),
        Always("status", Object(Always("loadBalancer", Object(
            Maybe("ingress", List(Object(
                Maybe("ip", Addresses.Select(Node)),
                Maybe("hostname", Names.Select(Node)),
                Maybe("ipMode", Gen.Elements("VIP", "Proxy").Select(Node))).Select(Node)))).Select(Node))).Select(Node)));

    private static Gen<JsonObject> Slice() => Object(
        Always("metadata", Metadata()),
        Maybe("addressType", Gen.Elements("IPv4", "IPv6", "FQDN").Select(Node)),
        Maybe("endpoints", List(Object(
            Always("addresses", List(Addresses.Select(Node))),
            Always("conditions", Object(
                Maybe("ready", Flags()), Maybe("serving", Flags()), Maybe("terminating", Flags())).Select(Node)),
            Maybe("hostname", Names.Select(Node)),
            Maybe("nodeName", Names.Select(Node)),
            Maybe("zone", Names.Select(Node)),
            Maybe("targetRef", Object(Maybe("kind", Gen.Constant("Pod").Select(Node)), Maybe("name", Names.Select(Node))).Select(Node)),
            Maybe("hints", Object(Maybe("forZones", Hints()), Maybe("forNodes", Hints())).Select(Node))).Select(Node))),
        Maybe("ports", List(Object(
            Maybe("name", Gen.OneOf(Names, Gen.Constant("")).Select(Node)),
            Maybe("protocol", Protocols.Select(Node)),
            Maybe("port", Gen.Choose(0, 70000).Select(Node)),
            Maybe("appProtocol", Names.Select(Node))).Select(Node))));

    private static Gen<JsonObject> Node() => Object(
        Always("metadata", Metadata()),
        Always("spec", Object(
            Maybe("podCIDR", Gen.Constant("10.1.0.0/24").Select(Node)),
            Maybe("podCIDRs", List(Gen.Elements("10.1.0.0/24", "fd00::/64").Select(Node))),
            Maybe("unschedulable", Gen.Constant(true).Select(Node)),
            Maybe("taints", List(Object(Always("key", Names.Select(Node)), Maybe("effect", Gen.Constant("NoSchedule").Select(Node))).Select(Node)))).Select(Node)),
        Always("status", Object(Maybe("addresses", List(Object(
            Always("type", Gen.Elements("InternalIP", "Hostname").Select(Node)),
            Always("address", Addresses.Select(Node))).Select(Node)))).Select(Node)));

    private static Gen<JsonObject> Cidr() => Object(
        Always("metadata", Metadata()), Always("spec", Object(Maybe("cidrs", List(Gen.Elements("10.0.0.0/8", "fd00::/108").Select(Node)))).Select(Node)));

    private static Gen<JsonNode?> Metadata() => Object(
        Always("name", Names.Select(Node)),
        Maybe("namespace", Names.Select(Node)),
        Maybe("generateName", Names.Select(Node)),
        Maybe("uid", Gen.Constant("0b6a4a53-9d13-4d0e-92f4-6f7b8f2f4e11").Select(Node)),
        Maybe("resourceVersion", Gen.Choose(1, 999999).Select(number => Node($"{number}"))),
        Maybe("generation", Gen.Choose(1, 99).Select(Node)),
        Maybe("creationTimestamp", Gen.Elements("2026-01-02T03:04:05Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z").Select(Node)),
        Maybe("deletionTimestamp", Gen.Constant("2026-01-02T03:04:05Z").Select(Node)),
        Maybe("labels", Map(Gen.Elements(WellKnownNames.ServiceNameLabel, WellKnownNames.ZoneLabel, WellKnownNames.HeadlessLabel, "app"))),
        Maybe("annotations", Map(Gen.Elements(WellKnownNames.LastChangeTriggerTimeAnnotation, WellKnownNames.SchedulerAnnotation, "kubectl.kubernetes.io/last-applied-configuration"))),
        Maybe("finalizers", List(Names.Select(Node))),
        Maybe("managedFields", List(Object(
            Maybe("manager", Names.Select(Node)),
            Maybe("time", Gen.Constant("2026-01-02T03:04:05Z").Select(Node)),
            Maybe("fieldsV1", Gen.Constant(0).Select(_ => Node(new JsonObject { ["f:spec"] = new JsonObject() })))).Select(Node)))).Select(Node);

    private static Gen<JsonNode?> Hints() => List(Object(Always("name", Names.Select(Node))).Select(Node));

    private static Gen<JsonNode?> Flags() => Gen.Elements(true, false).Select(Node);

    private static Gen<JsonNode?> List(Gen<JsonNode?> items) =>
        Gen.Choose(0, 3).SelectMany(count => Gen.ArrayOf(items, count)).Select(array => (JsonNode?)new JsonArray([.. array.Select(item => item?.DeepClone())]));

    private static Gen<JsonNode?> Map(Gen<string> keys) => Gen.Choose(0, 3).SelectMany(count => Gen.ArrayOf(keys, count))
        .Select(names => (JsonNode?)new JsonObject(names.Distinct().Select(name => KeyValuePair.Create(name, (JsonNode?)JsonValue.Create("of " + name)))));

    private static Gen<(string Name, JsonNode? Value, bool There)> Always(string name, Gen<JsonNode?> value) => value.Select(node => (name, node, true));

    private static Gen<(string Name, JsonNode? Value, bool There)> Maybe(string name, Gen<JsonNode?> value) =>
        value.SelectMany(node => Gen.Elements(true, false).Select(there => (name, node, there)));

    private static Gen<JsonObject> Object(params Gen<(string Name, JsonNode? Value, bool There)>[] members) => Gen.CollectToArray(members)
        .Select(all => new JsonObject(all.Where(member => member.There).Select(member => KeyValuePair.Create(member.Name, member.Value?.DeepClone()))));

    private static JsonNode? Node(string text) => JsonValue.Create(text);

    private static JsonNode? Node(int number) => JsonValue.Create(number);

    private static JsonNode? Node(bool flag) => JsonValue.Create(flag);

    private static JsonNode? Node(JsonObject value) => value;
}
