namespace KubeProxy.Host.Tests.Architecture;

/// <summary>Who may use whom.</summary>
internal static class ArchitectureRules
{
    /// <summary>Assembly, and the assemblies of this project that it may reference.</summary>
    public static IReadOnlyDictionary<string, string[]> Assemblies { get; } = new Dictionary<string, string[]>
    {
        ["KubeProxy.Core"] = [],
        ["KubeProxy.Kubernetes"] = ["KubeProxy.Core"],
        ["KubeProxy.Netfilter"] = ["KubeProxy.Core"],
        ["KubeProxy.Ipvs"] = ["KubeProxy.Core", "KubeProxy.Netfilter"],
        ["kube-proxy"] = ["KubeProxy.Core", "KubeProxy.Kubernetes", "KubeProxy.Netfilter", "KubeProxy.Ipvs"],
    };

    /// <summary>Namespaces (of any assembly) that only some of ours may use.</summary>
    public static IReadOnlyDictionary<string, string[]> OnlyThere { get; } = new Dictionary<string, string[]>
    {
        ["Tmds.Linux"] = ["KubeProxy.Netlink", "KubeProxy.Netfilter.Backends.Relay"],
        ["k8s"] = ["KubeProxy.Kubernetes.Client"],
        ["YamlDotNet"] = ["KubeProxy.Host.Yaml"],
        ["Prometheus"] = ["KubeProxy.Host.Metrics", "KubeProxy.Host.Http"],
        ["System.CommandLine"] = ["KubeProxy.Host.CommandLine"],
        ["Microsoft.AspNetCore"] = ["KubeProxy.Host.Http", "KubeProxy.Host.Composition"],
        ["Microsoft.Extensions.Hosting"] = ["KubeProxy.Host.Http", "KubeProxy.Host.Composition"],
    };

    /// <summary>Namespace, and the namespaces of this project that it may use besides itself. No wildcards: each is named.</summary>
    public static IReadOnlyDictionary<string, string[]> Namespaces { get; } = new Dictionary<string, string[]>
    {
        ["KubeProxy.Core"] =
        [
            "KubeProxy.Core.Health", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Planning",
            "KubeProxy.Core.Sources", "KubeProxy.Core.Sync", "KubeProxy.Core.Tracking",
        ],
        ["KubeProxy.Core.Composition"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Sources", "KubeProxy.Core.Sync"],
        ["KubeProxy.Core.Diff"] = [],
        ["KubeProxy.Core.Health"] = ["KubeProxy.Core.Model"],
        ["KubeProxy.Core.Kubernetes"] = ["KubeProxy.Core.Model"],
        ["KubeProxy.Core.Manifests"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Sources"],
        ["KubeProxy.Core.Model"] = [],
        ["KubeProxy.Core.Planning"] = ["KubeProxy.Core.Model"],
        ["KubeProxy.Core.Sources"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model"],
        ["KubeProxy.Core.Sync"] =
        [
            "KubeProxy.Core", "KubeProxy.Core.Health", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Planning",
            "KubeProxy.Core.Sources", "KubeProxy.Core.Tracking",
        ],
        ["KubeProxy.Core.Tracking"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Planning"],
        ["KubeProxy.Kubernetes"] =
        [
            "KubeProxy.Core.Composition", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Sources",
            "KubeProxy.Kubernetes.Access", "KubeProxy.Kubernetes.Json", "KubeProxy.Kubernetes.Protobuf", "KubeProxy.Kubernetes.Wire",
        ],
        ["KubeProxy.Kubernetes.Access"] = ["KubeProxy.Kubernetes"],
        ["KubeProxy.Kubernetes.Client"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Core.Sources", "KubeProxy.Kubernetes"],
        ["KubeProxy.Kubernetes.Json"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Kubernetes", "KubeProxy.Kubernetes.Wire"],
        ["KubeProxy.Kubernetes.Protobuf"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Kubernetes", "KubeProxy.Kubernetes.Wire"],
        ["KubeProxy.Kubernetes.Wire"] = ["KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Kubernetes"],
        ["KubeProxy.Netlink"] = ["KubeProxy.Netlink.Interop"],
        ["KubeProxy.Netlink.Generic"] = ["KubeProxy.Netlink"],
        ["KubeProxy.Netlink.Interop"] = [],
        ["KubeProxy.Netlink.Testing"] = ["KubeProxy.Netlink"],
        ["KubeProxy.Netfilter"] = [],
        ["KubeProxy.Netfilter.Backends"] =
        [
            "KubeProxy.Core.Composition", "KubeProxy.Core.Model", "KubeProxy.Core.Sync", "KubeProxy.Netfilter.Backends.Iptables",
            "KubeProxy.Netfilter.Backends.Nftables", "KubeProxy.Netfilter.Backends.Relay", "KubeProxy.Netfilter.Backends.Ruleset",
            "KubeProxy.Netfilter.Backends.Userspace",
        ],
        ["KubeProxy.Netfilter.Backends.Balanced"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sync", "KubeProxy.Netfilter.Backends.Iptables",
            "KubeProxy.Netfilter.Backends.Nftables", "KubeProxy.Netfilter.Backends.Ruleset", "KubeProxy.Netfilter.Backends.Table",
            "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules", "KubeProxy.Netfilter.Rtnetlink",
        ],
        ["KubeProxy.Netfilter.Backends.Iptables"] =
        [
            "KubeProxy.Core.Diff", "KubeProxy.Core.Health", "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sync",
            "KubeProxy.Netlink", "KubeProxy.Netfilter", "KubeProxy.Netfilter.Backends.Ruleset", "KubeProxy.Netfilter.Conntrack",
            "KubeProxy.Netfilter.Iptables", "KubeProxy.Netfilter.Iptables.Legacy", "KubeProxy.Netfilter.Iptables.Wire",
            "KubeProxy.Netfilter.Nfacct", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Rtnetlink",
        ],
        ["KubeProxy.Netfilter.Backends.Nftables"] =
        [
            "KubeProxy.Core.Diff", "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sync", "KubeProxy.Netlink",
            "KubeProxy.Netfilter.Backends.Iptables", "KubeProxy.Netfilter.Backends.Relay", "KubeProxy.Netfilter.Backends.Ruleset",
            "KubeProxy.Netfilter.Backends.Table", "KubeProxy.Netfilter.Conntrack", "KubeProxy.Netfilter.Nftables",
            "KubeProxy.Netfilter.Nftables.Rules", "KubeProxy.Netfilter.Rtnetlink",
        ],
        ["KubeProxy.Netfilter.Backends.Relay"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Netlink",
        ],
        ["KubeProxy.Netfilter.Backends.Rivals"] =
        [
            "KubeProxy.Core.Health", "KubeProxy.Core.Model", "KubeProxy.Netfilter.Backends.Iptables",
            "KubeProxy.Netfilter.Backends.Table", "KubeProxy.Netfilter.Iptables", "KubeProxy.Netfilter.Iptables.Wire",
            "KubeProxy.Netfilter.Nftables",
        ],
        ["KubeProxy.Netfilter.Backends.Ruleset"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sync", "KubeProxy.Netlink", "KubeProxy.Netfilter",
            "KubeProxy.Netfilter.Conntrack", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Text",
            "KubeProxy.Netfilter.Rtnetlink",
        ],
        ["KubeProxy.Netfilter.Backends.Table"] =
        [
            "KubeProxy.Core.Diff", "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Netfilter.Backends.Ruleset",
            "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules",
        ],
        ["KubeProxy.Netfilter.Backends.Userspace"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sync", "KubeProxy.Netlink",
            "KubeProxy.Netfilter.Backends.Relay", "KubeProxy.Netfilter.Backends.Ruleset", "KubeProxy.Netfilter.Backends.Table",
            "KubeProxy.Netfilter.Conntrack", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules",
            "KubeProxy.Netfilter.Rtnetlink",
        ],
        ["KubeProxy.Netfilter.Conntrack"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink"],
        ["KubeProxy.Netfilter.Conntrack.Testing"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netfilter.Conntrack"],
        ["KubeProxy.Netfilter.Ipset"] = ["KubeProxy.Netlink"],
        ["KubeProxy.Netfilter.Iptables"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Netfilter.Iptables.Wire", "KubeProxy.Netfilter.Nftables",
            "KubeProxy.Netfilter.Nftables.Rules", "KubeProxy.Netfilter.Nftables.Text",
        ],
        ["KubeProxy.Netfilter.Iptables.Legacy"] = ["KubeProxy.Core.Model", "KubeProxy.Netfilter.Iptables.Wire"],
        ["KubeProxy.Netfilter.Iptables.Wire"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netfilter.Iptables", "KubeProxy.Netfilter.Nftables",
            "KubeProxy.Netfilter.Nftables.Rules",
        ],
        ["KubeProxy.Netfilter.Nfacct"] = ["KubeProxy.Netlink"],
        ["KubeProxy.Netfilter.Nftables"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netfilter.Nftables.Rules", "KubeProxy.Netfilter.Nftables.Text",
            "KubeProxy.Netfilter.Nftables.Validation", "KubeProxy.Netfilter.Nftables.Wire",
        ],
        ["KubeProxy.Netfilter.Nftables.Rules"] = ["KubeProxy.Netfilter.Nftables"],
        ["KubeProxy.Netfilter.Nftables.Testing"] =
        [
            "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules", "KubeProxy.Netfilter.Nftables.Text",
            "KubeProxy.Netfilter.Nftables.Validation",
        ],
        ["KubeProxy.Netfilter.Nftables.Text"] =
        [
            "KubeProxy.Core.Model", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules",
        ],
        ["KubeProxy.Netfilter.Nftables.Validation"] =
        [
            "KubeProxy.Netlink", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules",
            "KubeProxy.Netfilter.Nftables.Text",
        ],
        ["KubeProxy.Netfilter.Nftables.Wire"] =
        [
            "KubeProxy.Netlink", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules",
            "KubeProxy.Netfilter.Nftables.Validation",
        ],
        ["KubeProxy.Netfilter.Rtnetlink"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink"],
        ["KubeProxy.Netfilter.Rtnetlink.Testing"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netfilter.Rtnetlink"],
        ["KubeProxy.Ipvs"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netlink.Generic", "KubeProxy.Ipvs.Wire"],
        ["KubeProxy.Ipvs.Backend"] =
        [
            "KubeProxy.Core.Composition", "KubeProxy.Core.Diff", "KubeProxy.Core.Health", "KubeProxy.Core.Model",
            "KubeProxy.Core.Planning", "KubeProxy.Core.Sync", "KubeProxy.Netlink", "KubeProxy.Netfilter",
            "KubeProxy.Netfilter.Backends", "KubeProxy.Netfilter.Backends.Balanced", "KubeProxy.Netfilter.Backends.Nftables",
            "KubeProxy.Netfilter.Backends.Ruleset", "KubeProxy.Netfilter.Rtnetlink", "KubeProxy.Ipvs",
        ],
        ["KubeProxy.Ipvs.Testing"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Ipvs"],
        ["KubeProxy.Ipvs.Wire"] = ["KubeProxy.Core.Model", "KubeProxy.Netlink", "KubeProxy.Netlink.Generic", "KubeProxy.Ipvs"],
        ["KubeProxy.Host.Backends"] =
        [
            "KubeProxy.Core.Health", "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sync", "KubeProxy.Netlink",
            "KubeProxy.Netfilter", "KubeProxy.Netfilter.Backends", "KubeProxy.Netfilter.Backends.Balanced",
            "KubeProxy.Netfilter.Backends.Iptables", "KubeProxy.Netfilter.Backends.Nftables", "KubeProxy.Netfilter.Backends.Relay",
            "KubeProxy.Netfilter.Backends.Rivals", "KubeProxy.Netfilter.Backends.Ruleset", "KubeProxy.Netfilter.Backends.Userspace",
            "KubeProxy.Netfilter.Ipset", "KubeProxy.Netfilter.Iptables", "KubeProxy.Netfilter.Iptables.Legacy",
            "KubeProxy.Netfilter.Nfacct", "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Rtnetlink", "KubeProxy.Ipvs",
            "KubeProxy.Ipvs.Backend", "KubeProxy.Host.Configuration",
        ],
        ["KubeProxy.Host.CommandLine"] = ["KubeProxy.Core.Model", "KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Composition"] =
        [
            "KubeProxy.Core.Composition", "KubeProxy.Core.Health", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model",
            "KubeProxy.Core.Planning", "KubeProxy.Core.Sources", "KubeProxy.Core.Sync", "KubeProxy.Kubernetes", "KubeProxy.Kubernetes.Access",
            "KubeProxy.Netfilter", "KubeProxy.Netfilter.Backends", "KubeProxy.Netfilter.Backends.Ruleset", "KubeProxy.Host.Backends",
            "KubeProxy.Host.CommandLine", "KubeProxy.Host.Configuration", "KubeProxy.Host.Diagnostics", "KubeProxy.Host.Events",
            "KubeProxy.Host.Http", "KubeProxy.Host.Logging", "KubeProxy.Host.Metrics", "KubeProxy.Host.Migration",
            "KubeProxy.Host.Node", "KubeProxy.Host.Sources",
        ],
        ["KubeProxy.Host.Configuration"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Host.Yaml"],
        ["KubeProxy.Host.Diagnostics"] = [],
        ["KubeProxy.Host.Events"] = ["KubeProxy.Core.Model", "KubeProxy.Kubernetes"],
        ["KubeProxy.Host.Http"] =
        [
            "KubeProxy.Core.Health", "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Sync",
            "KubeProxy.Host.Configuration", "KubeProxy.Host.Diagnostics", "KubeProxy.Host.Logging", "KubeProxy.Host.Metrics",
            "KubeProxy.Host.Yaml", "KubeProxy.Kubernetes",
        ],
        ["KubeProxy.Host.Logging"] = ["KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Metrics"] = ["KubeProxy.Core.Model", "KubeProxy.Core.Sync", "KubeProxy.Host.Configuration"],
        ["KubeProxy.Host.Migration"] =
        [
            "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sources",
            "KubeProxy.Core.Sync", "KubeProxy.Netlink", "KubeProxy.Netfilter.Backends.Iptables", "KubeProxy.Netfilter.Conntrack",
            "KubeProxy.Netfilter.Iptables", "KubeProxy.Netfilter.Iptables.Legacy", "KubeProxy.Netfilter.Nfacct",
            "KubeProxy.Netfilter.Nftables", "KubeProxy.Netfilter.Nftables.Rules", "KubeProxy.Ipvs", "KubeProxy.Host.Configuration",
            "KubeProxy.Host.Node",
        ],
        ["KubeProxy.Host.Node"] =
        [
            "KubeProxy.Core.Kubernetes", "KubeProxy.Core.Model", "KubeProxy.Core.Planning", "KubeProxy.Core.Sources",
            "KubeProxy.Netfilter", "KubeProxy.Host.Configuration",
        ],
        ["KubeProxy.Host.Sources"] =
        [
            "KubeProxy.Core.Manifests", "KubeProxy.Core.Sources", "KubeProxy.Kubernetes", "KubeProxy.Kubernetes.Access",
            "KubeProxy.Host.CommandLine", "KubeProxy.Host.Configuration", "KubeProxy.Host.Yaml",
        ],
        ["KubeProxy.Host.Yaml"] = ["KubeProxy.Core.Manifests"],
    };
}
