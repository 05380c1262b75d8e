using System.Globalization;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>A directory of manifests, changed as an operator's tools would: by renaming over the old file.</summary>
public sealed class Manifests : IDisposable
{
    public Manifests()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("kube-proxy-test-").FullName;
        Objects = System.IO.Directory.CreateDirectory(Path.Combine(Directory, "objects")).FullName;
        Write("node", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"node1"},"status":{"addresses":[{"type":"InternalIP","address":"203.0.113.11"}]}}""");
        Write("cidr", """{"apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR","metadata":{"name":"kubernetes"},"spec":{"cidrs":["10.96.0.0/12"]}}""");
    }

    public string Directory { get; }

    public string Objects { get; }

    /// <summary>The proxy mode.</summary>
    public string Mode { get; init; } = "nftables";

    /// <summary>Where pods are.</summary>
    public string ClusterCidr { get; init; } = "10.244.0.0/16";

    /// <summary>Further lines of the configuration.</summary>
    public string Settings { get; set; } = "";

    /// <summary>Writes a configuration file and returns its path.</summary>
    public string Configuration(int healthzPort = 10256, int metricsPort = 10249, string minSyncPeriod = "1ms")
    {
        var path = Path.Combine(Directory, "config.conf");
        File.WriteAllText(path, $"""
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: {Mode}
            hostnameOverride: node1
            clusterCIDR: {ClusterCidr}
            healthzBindAddress: 127.0.0.1:{healthzPort}
            metricsBindAddress: 127.0.0.1:{metricsPort}
            conntrack:
              maxPerCore: 0
            nftables:
              minSyncPeriod: {minSyncPeriod}
            {Settings}
            """);
        return path;
    }

    public void Service(string name, string clusterIp, int? nodePort = null, string extraSpec = "") => Write($"service.{name}", $$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}","namespace":"default"},
         "spec":{"type":"{{(nodePort is null ? "ClusterIP" : "NodePort")}}","clusterIP":"{{clusterIp}}","clusterIPs":["{{clusterIp}}"],"ipFamilies":["IPv4"]{{extraSpec}},
         "ports":[{"protocol":"TCP","port":80{{(nodePort is { } port ? ",\"nodePort\":" + port.ToString(CultureInfo.InvariantCulture) : "")}} }] } }
        """);

    public void Endpoints(string service, params IEnumerable<int> pods) => Endpoints(service, pods, []);

    /// <param name="service">Whose.</param>
    /// <param name="ready">The pods that take connections.</param>
    /// <param name="terminating">The pods that serve what they have until they end.</param>
    /// <param name="protocol">On port 8080.</param>
    public void Endpoints(string service, IEnumerable<int> ready, IEnumerable<int> terminating, string protocol = "TCP") => Write($"slice.{service}", $$"""
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"{{service}}-1","namespace":"default","labels":{"kubernetes.io/service-name":"{{service}}"} },
         "addressType":"IPv4","ports":[{"name":"","protocol":"{{protocol}}","port":8080}],
         "endpoints":[{{string.Join(',', ready.Select(pod => Endpoint(pod, false)).Concat(terminating.Select(pod => Endpoint(pod, true))))}}]}
        """);

    private static string Endpoint(int pod, bool isTerminating) => $$"""
        {"addresses":["{{MiniCluster.PodAddress(pod)}}"],"conditions":{"ready":{{(isTerminating ? "false" : "true")}},"serving":true,"terminating":{{(isTerminating ? "true" : "false")}} },"nodeName":"node1"}
        """;

    public void Delete(string file) => File.Delete(Path.Combine(Objects, file + ".json"));

    public void Write(string file, string content)
    {
        var temporary = Path.Combine(Objects, $".{file}.tmp");
        File.WriteAllText(temporary, content);
        File.Move(temporary, Path.Combine(Objects, file + ".json"), overwrite: true);
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
