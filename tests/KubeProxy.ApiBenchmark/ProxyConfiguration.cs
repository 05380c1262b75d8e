namespace KubeProxy.ApiBenchmark;

/// <summary>The files that a proxy in a namespace of its own needs.</summary>
internal static class ProxyConfiguration
{
    /// <summary>Writes them; returns the path of the configuration.</summary>
    public static string Write(string directory, string authority)
    {
        var kubeconfig = Path.Combine(directory, "kubeconfig");
        File.WriteAllText(kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: main
            contexts: [{name: main, context: {cluster: here, user: proxy} }]
            clusters: [{name: here, cluster: {server: "https://{{Namespaces.ServerAddress}}:6443", tls-server-name: api.test, certificate-authority: {{authority}} } }]
            users: [{name: proxy, user: {token: secret} }]
            """);
        var path = Path.Combine(directory, "config.conf");
        File.WriteAllText(path, $$"""
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: nftables
            hostnameOverride: node1
            clusterCIDR: 11.0.0.0/8
            clientConnection: {kubeconfig: {{kubeconfig}} }
            conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
            """);
        return path;
    }
}
