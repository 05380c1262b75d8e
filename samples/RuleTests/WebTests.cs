using System.Text;
using KubeProxy.Core;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

// Which rules these objects become on node "node1": no kernel, no root, no cluster.
public sealed class WebTests
{
    private const string Web = """
        {"kind":"List","apiVersion":"v1","items":[
          {"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"shop"},
           "spec":{"clusterIP":"10.96.0.10","clusterIPs":["10.96.0.10"],"ipFamilies":["IPv4"],"ports":[{"port":80,"protocol":"TCP"}]}},
          {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
           "addressType":"IPv4","ports":[{"name":"","port":8080,"protocol":"TCP"}],
           "endpoints":[{"addresses":["10.244.1.5"]},{"addresses":["10.244.2.7"],"conditions":{"ready":false}}]}]}
        """;

    private static ServicePlans Plans() => ServicePlans.Of(
        new ProxyOptions { NodeName = "node1" },
        new KubernetesObjectReader().ReadDocument(Encoding.UTF8.GetBytes(Web)).Select(item => item.Object!));

    [Fact]
    public void Connections_go_to_what_is_ready()
    {
        var plan = Assert.Single(Plans().Get(IpFamily.IPv4));
        Assert.Equal(Destination.ClusterEndpoints, Assert.Single(plan.Frontends).Destination);
        Assert.Equal("10.244.1.5:8080", Assert.Single(plan.ClusterEndpoints).ToString());
    }

    [Fact]
    public async Task That_is_one_element_of_the_map_of_endpoints()
    {
        var nftables = new InMemoryNftables();
        await using var backend = new NftablesBackend(
            new NftablesBackendOptions { Family = IpFamily.IPv4 },
            new NftablesBackendParts { Nftables = nftables, Routes = new InMemoryRoute(), Conntrack = new InMemoryConntrack() },
            NullLogger<NftablesBackend>.Instance);
        await backend.StartAsync(_ => { }, TestContext.Current.CancellationToken);
        await backend.SyncAsync(Plans().Take(IpFamily.IPv4), TestContext.Current.CancellationToken);
        Assert.Contains("10.96.0.10 . tcp . 80 . 0 : 10.244.1.5 . 8080", nftables.Dump(), StringComparison.Ordinal);
    }
}
