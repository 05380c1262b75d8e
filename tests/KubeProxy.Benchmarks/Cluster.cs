using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Benchmarks;

/// <summary>Objects of a cluster of services with the same number of endpoints each, spread over the nodes.</summary>
internal static class Cluster
{
    public const int EndpointsPerService = 10;
    public const string Node = "node1";

    /// <summary>An address that is on the loopback device of the namespaces that measurements run in.</summary>
    public const string LoopbackEndpoint = "11.255.255.1";

    /// <param name="number">The service.</param>
    /// <param name="mode">Says whether it asks for session affinity.</param>
    public static Service Service(int number, BackendMode mode = BackendMode.Nftables) => new()
    {
        Metadata = new ObjectMeta { Name = Name(number), Namespace = "bench", CreationTimestamp = DateTimeOffset.UnixEpoch.AddSeconds(number) },
        Spec = new ServiceSpec
        {
            Type = "ClusterIP",
            ClusterIP = ClusterIp(number),
            ClusterIPs = [ClusterIp(number)],
            IPFamilies = ["IPv4"],
            SessionAffinity = mode == BackendMode.Affinity ? "ClientIP" : null,
            Ports = [new ServicePort { Name = "http", Protocol = "TCP", Port = 80 }],
        },
    };

    /// <param name="number">The service.</param>
    /// <param name="endpoints">How many endpoints it has.</param>
    /// <param name="generation">Replaces the first endpoint by another for each generation.</param>
    public static EndpointSlice Slice(int number, int endpoints = EndpointsPerService, int generation = 0) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = Name(number) + "-1",
            Namespace = "bench",
            Labels = new() { [WellKnownNames.ServiceNameLabel] = Name(number) },
        },
        AddressType = "IPv4",
        Ports = [new EndpointPort { Name = "http", Protocol = "TCP", Port = 8080 }],
        Endpoints =
        [
            .. Enumerable.Range(0, endpoints).Select(i => new Endpoint
            {
                Addresses = [Pod((number * 16) + i, i == 0 ? generation : 0)],
                NodeName = $"node{1 + ((number + i) % 500)}",
                Conditions = new EndpointConditions { Ready = true },
            }),
        ],
    };

    public static string ClusterIp(int number) => $"10.{96 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}";

    private static string Name(int number) => $"service-{number}";

    private static string Pod(int number, int generation) =>
        $"{(generation & 1) + 11}.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}";
}
