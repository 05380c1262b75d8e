using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;

namespace KubeProxy.Core.Tests;

/// <summary>Short ways to write objects.</summary>
internal static class Objects
{
    public const string Node1 = "node1";

    public static ProxyOptions Options { get; } = new() { NodeName = Node1, NodeWait = TimeSpan.Zero };

    public static NamespacedName Named(string name) => new("default", name);

    public static Service Service(string name, string clusterIP, Func<ServiceSpec, ServiceSpec>? change = null, ServicePort? port = null) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default" },
        Spec = (change ?? (spec => spec))(new ServiceSpec
        {
            Type = "ClusterIP",
            ClusterIP = clusterIP,
            ClusterIPs = [clusterIP],
            IPFamilies = [clusterIP.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4"],
            Ports = [port ?? new ServicePort { Name = "", Protocol = "TCP", Port = 80 }],
        }),
    };

    public static Service WithIngress(this Service service, params string[] addresses) => service with
    {
        Status = new ServiceStatus
        {
            LoadBalancer = new LoadBalancerStatus { Ingress = [.. addresses.Select(ip => new LoadBalancerIngress { IP = ip })] },
        },
    };

    public static EndpointSlice Slice(string name, string service, params Endpoint[] endpoints) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name,
            Namespace = "default",
            Labels = new() { [WellKnownNames.ServiceNameLabel] = service },
        },
        AddressType = endpoints is [var first, ..] && first.Addresses is [var address, ..] && address.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4",
        Endpoints = endpoints,
        Ports = [new EndpointPort { Name = "", Protocol = "TCP", Port = 8080 }],
    };

    /// <summary>An endpoint: ready unless said otherwise, on another node unless said otherwise.</summary>
    public static Endpoint At(
        string address, string? node = "node2", bool? ready = true, bool? serving = null, bool? terminating = null, string[]? zones = null, string[]? nodes = null) => new()
        {
            Addresses = [address],
            NodeName = node,
            Conditions = new EndpointConditions { Ready = ready, Serving = serving ?? ready, Terminating = terminating },
            Hints = zones is null && nodes is null ? null : new EndpointHints
            {
                ForZones = [.. (zones ?? []).Select(zone => new TopologyHint { Name = zone })],
                ForNodes = [.. (nodes ?? []).Select(node => new TopologyHint { Name = node })],
            },
        };

    public static Node Node(string? zone = null, string? address = null) => new()
    {
        Metadata = new ObjectMeta { Name = Node1, Labels = zone is null ? null : new() { [WellKnownNames.ZoneLabel] = zone } },
        Status = new NodeStatus { Addresses = address is null ? [] : [new NodeAddress { Type = "InternalIP", Address = address }] },
    };
}
