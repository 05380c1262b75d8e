using System.Collections.Immutable;

namespace KubeProxy.Host.CommandLine;

/// <summary>The flags of <c>kube-proxy migrate</c>, beside all others.</summary>
internal static class MigrationFlags
{
    /// <summary>All of them.</summary>
    public static ImmutableArray<Flag> All { get; } =
    [
        new("to", "", "The mode to change to: nftables, iptables, ipvs or userspace."),
        new("output", "text", "text or json."),
        new("timeout", "30s", "How long to wait for all objects."),
    ];
}
