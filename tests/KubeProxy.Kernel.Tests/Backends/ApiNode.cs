using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>A node whose objects come from an API server, over TLS; both are in one network namespace.</summary>
internal sealed class ApiNode : IAsyncDisposable
{
    private readonly TestAuthority _authority;
    private readonly string _directory = Directory.CreateTempSubdirectory("kube-proxy-test-").FullName;

    private ApiNode(NetworkNamespace node, TestAuthority authority, FakeApiServer server) => (Namespace, _authority, Server) = (node, authority, server);

    public NetworkNamespace Namespace { get; }

    public FakeApiServer Server { get; }

    public static async Task<ApiNode> CreateAsync()
    {
        var node = NetworkNamespace.Create();
        node.Exec("ip", "address", "add", "192.168.0.1/32", "dev", "lo"); // The address that the Node object has.
        var authority = new TestAuthority();
        var server = await FakeApiServer.StartAsync(new FakeApiServerOptions
        {
            Certificate = authority.Issue("api.test"),
            Bind = address => node.Run(() => SocketTransportOptions.CreateDefaultBoundListenSocket(address)),
        });
        server.Set("nodes", ApiObjects.Node("node1"));
        server.Set("servicecidrs", ApiObjects.ServiceCidr("kubernetes", "10.96.0.0/12"));
        return new ApiNode(node, authority, server);
    }

    /// <summary>Starts the program, which is ready when this returns.</summary>
    public async Task<ProxyProcess> StartAsync()
    {
        var proxy = ProxyProcess.Start(Namespace, ["--config", WriteConfiguration()]);
        await proxy.WaitReadyAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _authority.Dispose();
        Namespace.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private string WriteConfiguration()
    {
        var kubeconfig = Write("kubeconfig", $$"""
            apiVersion: v1
            kind: Config
            current-context: main
            contexts: [{name: main, context: {cluster: here, user: proxy} }]
            clusters: [{name: here, cluster: {server: "{{Server.Url}}", certificate-authority: {{Write("ca.crt", _authority.Pem)}} } }]
            users: [{name: proxy, user: {token: secret} }]
            """);
        return Write("config.conf", $$"""
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: nftables
            hostnameOverride: node1
            clusterCIDR: 10.244.0.0/16,fd00:10:244::/48
            clientConnection: {kubeconfig: {{kubeconfig}}, qps: 100, burst: 100}
            conntrack: {maxPerCore: 0}
            nftables: {minSyncPeriod: 10ms}
            """);
    }

    private string Write(string file, string text)
    {
        var path = Path.Combine(_directory, file);
        File.WriteAllText(path, text);
        return path;
    }
}
