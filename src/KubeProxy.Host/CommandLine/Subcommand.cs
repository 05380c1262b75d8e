using System.Collections.Immutable;

namespace KubeProxy.Host.CommandLine;

/// <summary>A subcommand that shows something and changes nothing.</summary>
/// <param name="Name">The first argument.</param>
/// <param name="Usage">How it is called.</param>
/// <param name="About">What it does, and what its exit codes mean.</param>
/// <param name="Flags">Its own flags.</param>
internal sealed record Subcommand(string Name, string Usage, string About, ImmutableArray<Flag> Flags)
{
    private static readonly Flag Output = new("output", "text", "text or json.");

    private static readonly Flag Timeout = new("timeout", "30s", "How long to wait for all objects, or for the answer of the running proxy.");

    private static readonly Flag Node = FlagValues.Text("node", "", "The node, if it is not this one; as --hostname-override.", (c, v) => c.HostnameOverride = v) with { OverridesFile = true };

    private static readonly Flag Offline = new("offline", "false", "Do without the running proxy: read the configuration and the objects.") { IsSwitch = true };

    private static readonly Flag Kernel =
        new("kernel", "false", "Also say whether the kernel holds what is planned for it, which takes as long as diff does; not with --offline.") { IsSwitch = true };

    /// <summary>The operand; null for none.</summary>
    public string? Operand { get; private init; }

    /// <summary><c>kube-proxy plan</c>.</summary>
    public static Subcommand Plan { get; } = new(
        "plan",
        "kube-proxy plan [--manifests DIR | --kubeconfig FILE | --config FILE] [--node NAME] [--proxy-mode MODE] [--output text|json]",
        """
        kube-proxy plan shows what would be in force for these objects on a node: nft, iptables-save, ipvsadm and ip text. Nothing is written, and
        of the kernel only /proc is read. Exit code 0: shown, 2: something cannot be read, or is wrong with the command line or the configuration.
        """,
        [Output, Timeout, Node]);

    /// <summary><c>kube-proxy status</c>.</summary>
    public static Subcommand Status { get; } = new(
        "status",
        "kube-proxy status [--watch] [--output text|json]",
        """
        kube-proxy status says whether the proxy that runs on this node is well, and what is wrong. Exit code 0: all is in force, 1: something is
        wrong, 2: it cannot be asked.
        """,
        [Output, Timeout, new Flag("watch", "false", "Show it again every second, until interrupted.") { IsSwitch = true }]);

    /// <summary><c>kube-proxy diff</c>.</summary>
    public static Subcommand Diff { get; } = new(
        "diff",
        "kube-proxy diff [--offline [--manifests DIR | --kubeconfig FILE | --config FILE]] [--output text|json]",
        """
        kube-proxy diff compares the kernel with what the running proxy has planned, or with --offline with what these objects would be planned
        as, and names each object that is missing, changed or surplus. Nothing is written. Exit code 0: no difference, 1: some, 2: it cannot be told.
        """,
        [Output, Timeout, Node, Offline]);

    /// <summary><c>kube-proxy explain</c>.</summary>
    public static Subcommand Explain { get; } = new(
        "explain",
        "kube-proxy explain TARGET [--offline [--manifests DIR | --kubeconfig FILE | --config FILE]] [--output text|json]",
        """
        kube-proxy explain says what happens on this node to connections to a target, and why. TARGET: 10.96.0.10:80[/tcp], node:30080,
        namespace/service[:port], an endpoint such as 10.244.1.5:8080, or service.namespace.svc[.cluster.local][:port]. Exit code 0: they lead to
        endpoints, 1: not all do, 2: it cannot be told.
        """,
        [Output, Timeout, Node, Offline, Kernel]) { Operand = "TARGET" };

    /// <summary>All of them.</summary>
    public static ImmutableArray<Subcommand> All { get; } = [Plan, Status, Diff, Explain];
}
