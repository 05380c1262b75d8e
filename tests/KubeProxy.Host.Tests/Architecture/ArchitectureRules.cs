namespace KubeProxy.Host.Tests.Architecture;

/// <summary>Who may use whom. A namespace stands for itself and those below it; the longest that fits counts.</summary>
internal static class ArchitectureRules
{
    /// <summary>Assembly, and the assemblies of this project that it may reference.</summary>
    public static IReadOnlyDictionary<string, string[]> Assemblies { get; } = new Dictionary<string, string[]>
    {
        ["KubeProxy.Core"] = [],
        ["KubeProxy.Netfilter"] = ["KubeProxy.Core"],
        ["KubeProxy.Ipvs"] = ["KubeProxy.Core", "KubeProxy.Netfilter"],
        ["kube-proxy"] = ["KubeProxy.Core", "KubeProxy.Netfilter", "KubeProxy.Ipvs"],
    };

    /// <summary>Namespaces (of any assembly) that only some of ours may use.</summary>
    public static IReadOnlyDictionary<string, string[]> OnlyHost { get; } = new Dictionary<string, string[]>
    {
        ["YamlDotNet"] = ["KubeProxy.Host.Yaml"],
        ["Prometheus"] = ["KubeProxy.Host.Metrics", "KubeProxy.Host.Http"],
        ["System.CommandLine"] = ["KubeProxy.Host.CommandLine"],
        ["Microsoft.AspNetCore"] = ["KubeProxy.Host.Http", "KubeProxy.Host.Composition"],
        ["Microsoft.Extensions.Hosting"] = ["KubeProxy.Host.Http", "KubeProxy.Host.Composition"],
    };

    /// <summary>Namespace, and the namespaces of this project that it may use besides itself and those below it.</summary>
    public static IReadOnlyDictionary<string, string[]> Namespaces { get; } = new Dictionary<string, string[]>
    {
        ["KubeProxy.Netlink"] = [],
        ["KubeProxy.Netlink.Testing"] = ["KubeProxy.Netlink"],
        ["KubeProxy.Core.Model"] = [],
        ["KubeProxy.Core.Kubernetes"] = ["KubeProxy.Core.Model"],
        ["KubeProxy.Core.Kubernetes.Api"] =
            ["KubeProxy.Core.Model", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Sources", "KubeProxy.Core.Tracking"],
        ["KubeProxy.Core.Planning"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Health"],
        ["KubeProxy.Core.Health"] = ["KubeProxy.Core.Model"],
        ["KubeProxy.Core.Sources"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Tracking"],
        ["KubeProxy.Core.Manifests"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Tracking", "KubeProxy.Core.Sources"],
        ["KubeProxy.Core"] = ["KubeProxy.Core"],
        ["KubeProxy.Netfilter.Nftables.Rules"] = ["KubeProxy.Core.Model", "KubeProxy.Netfilter.Nftables"],
        ["KubeProxy.Netfilter.Nftables"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink"],
        ["KubeProxy.Netfilter.Conntrack"] = ["KubeProxy.Netlink", "KubeProxy.Core.Model", "KubeProxy.Core.Planning"] /* what is stale */,
        ["KubeProxy.Netfilter.Relay"] = ["KubeProxy.Netlink", "KubeProxy.Core.Model", "KubeProxy.Core.Planning"],
        ["KubeProxy.Netfilter.Proxy"] = ["KubeProxy.Core", "KubeProxy.Netlink", "KubeProxy.Netfilter"],
        ["KubeProxy.Netfilter"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netfilter"],
        ["KubeProxy.Ipvs"] = ["KubeProxy.Core", "KubeProxy.Netlink", "KubeProxy.Netfilter"],
        ["KubeProxy.Host.Yaml"] = ["KubeProxy.Core.Manifests"],
        ["KubeProxy.Host.Configuration"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Host.Yaml"],
        ["KubeProxy.Host.CommandLine"] = ["KubeProxy.Core.Model", "KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Logging"] = ["KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Metrics"] = ["KubeProxy.Core", "KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Diagnostics"] = [],
        ["KubeProxy.Host.Events"] = ["KubeProxy.Core"],
        ["KubeProxy.Host.Node"] = ["KubeProxy.Core", "KubeProxy.Netfilter", "KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Http"] =
        [
            "KubeProxy.Core", "KubeProxy.Host.Configuration", "KubeProxy.Host.Diagnostics", "KubeProxy.Host.Logging", "KubeProxy.Host.Metrics",
            "KubeProxy.Host.Node", "KubeProxy.Host.Yaml",
        ],
        ["KubeProxy.Host.Sources"] = ["KubeProxy.Core", "KubeProxy.Host.Configuration", "KubeProxy.Host.CommandLine", "KubeProxy.Host.Yaml"],
        ["KubeProxy.Host.Backends"] = ["KubeProxy.Core", "KubeProxy.Netlink", "KubeProxy.Netfilter", "KubeProxy.Ipvs", "KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Migration"] =
            ["KubeProxy.Core", "KubeProxy.Netlink", "KubeProxy.Netfilter", "KubeProxy.Ipvs", "KubeProxy.Host.Configuration", "KubeProxy.Host.Node"],
        ["KubeProxy.Host.Composition"] = ["KubeProxy.Core", "KubeProxy.Netfilter", "KubeProxy.Host"],
    };
}
