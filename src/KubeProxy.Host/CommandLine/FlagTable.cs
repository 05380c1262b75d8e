using System.Collections.Immutable;
using KubeProxy.Host.Configuration;
using static KubeProxy.Host.CommandLine.FlagValues;

namespace KubeProxy.Host.CommandLine;

/// <summary>Every flag. To add one, add a line.</summary>
internal static class FlagTable
{
    /// <summary>Where subcommands ask the running proxy.</summary>
    public const string DefaultSocket = "/run/kube-proxy/control.sock";

    /// <summary>All flags, by topic. Those without a default duration change the section of the selected mode.</summary>
    public static ImmutableArray<Flag> All { get; } = [.. Process(), .. Node(), .. Modes(), .. Ipvs(), .. Conntrack(), .. Client(), .. Logging()];

    private static IEnumerable<Flag> Process() =>
    [
        new("config", "", "The configuration file; all flags but those of logging, --hostname-override and those about the process are then ignored.") { OverridesFile = true },
        new("manifests", "", "A directory of Service, EndpointSlice, Node and ServiceCIDR manifests (YAML or JSON) to watch instead of an API server.") { OverridesFile = true },
        new("write-config-to", "", "Write the configuration in force to this file and exit.") { OverridesFile = true },
        new("cleanup", "false", "Remove all rules of this proxy and exit.") { IsSwitch = true, OverridesFile = true },
        new("init-only", "false", "Do what needs privileges (sysctls of conntrack and of the mode), then exit.") { IsSwitch = true, OverridesFile = true },
        new("master", "", "The API server's address, instead of the one in the kubeconfig.") { OverridesFile = true },
        new("version", "false", "Print the version and exit; --version=raw prints the details.") { IsSwitch = true, OverridesFile = true },
        new("socket", DefaultSocket, "The Unix socket, of root alone and read-only, on which the subcommands status, diff and explain are answered; empty for none.") { OverridesFile = true },
        new("machine-id-file", "", "Without effect.") { OverridesFile = true },
        new("boot-id-file", "", "Without effect.") { OverridesFile = true },
    ];

    private static IEnumerable<Flag> Node() =>
    [
        Text("hostname-override", "", "The name of this node, if it is not the host name.", (c, v) => c.HostnameOverride = v) with { OverridesFile = true },
        Address("bind-address", "0.0.0.0", "The IP address of this node; 0.0.0.0 leaves it to the Node object.", (c, v) => c.BindAddress = v),
        AddressAndPort("healthz-bind-address", "0.0.0.0:10256", "Where to serve /healthz and /livez.", ConfigurationDefaults.HealthzPort, (c, v) => c.HealthzBindAddress = v),
        AddressAndPort("metrics-bind-address", "127.0.0.1:10249", "Where to serve /metrics.", ConfigurationDefaults.MetricsPort, (c, v) => c.MetricsBindAddress = v),
        Integer("healthz-port", "10256", "The port of a --healthz-bind-address without one; 0 switches the health server off.", (c, v) => c.HealthzBindAddress = PortOf(c.HealthzBindAddress, v)) with { IsDeprecated = true },
        Integer("metrics-port", "10249", "The port of a --metrics-bind-address without one; 0 clears the address of the metrics server.", (c, v) => c.MetricsBindAddress = PortOf(c.MetricsBindAddress, v)) with { IsDeprecated = true },
        Switch("bind-address-hard-fail", false, "End with an error when a server cannot listen.", (c, v) => c.BindAddressHardFail = v),
        Switch("profiling", false, "Offer profiles on the metrics server.", (c, v) => c.EnableProfiling = v),
        Text("show-hidden-metrics-for-version", "", "The previous minor version, to show its hidden metrics.", (c, v) => c.ShowHiddenMetricsForVersion = v),
        List("nodeport-addresses", "The blocks of this node's addresses that accept node ports; also 'primary', 'localhost' and 'all'.", c => c.NodePortAddresses),
        List("vip-ranges", "Where external and load-balancer IPs have to lie: blocks, or ranges such as 192.0.2.10-192.0.2.20; everywhere if not given.", c => c.VipRanges, mayBeEmpty: false) with { OverridesFile = true },
        Integer("oom-score-adj", "-999", "The out-of-memory score adjustment of this process, -1000 to 1000.", (c, v) => c.OomScoreAdj = v),
        new("feature-gates", "", "Feature gates as Name=true,Name=false.") { Apply = ApplyFeatureGates },
    ];

    private static IEnumerable<Flag> Modes() =>
    [
        Text("proxy-mode", "", "How to proxy: nftables, iptables, ipvs or userspace.", (c, v) => c.Mode = v),
        Integer("iptables-masquerade-bit", "14", "The bit of the packet mark that asks for masquerading, 0 to 31.", (c, v) => c.Iptables.MasqueradeBit = v),
        Switch("masquerade-all", false, "Masquerade everything sent to cluster IPs.", (c, v) => c.Iptables.MasqueradeAll = c.Nftables.MasqueradeAll = v),
        Switch("iptables-localhost-nodeports", true, "Serve node ports on loopback addresses (iptables mode).", (c, v) => c.Iptables.LocalhostNodePorts = v),
        Duration("iptables-sync-period", "30s", "How long after a failure a sync is tried again (all modes but ipvs).", (c, v) => c.Iptables.SyncPeriod = c.Nftables.SyncPeriod = v),
        Duration("iptables-min-sync-period", "1s", "The least time between two syncs (all modes but ipvs).", (c, v) => c.Iptables.MinSyncPeriod = c.Nftables.MinSyncPeriod = v),
        Text("detect-local-mode", "", "How local traffic is recognised: ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix.", (c, v) => c.DetectLocalMode = v),
        Text("pod-bridge-interface", "", "The bridge of mode BridgeInterface.", (c, v) => c.DetectLocal.BridgeInterface = v),
        Text("pod-interface-name-prefix", "", "The prefix of mode InterfaceNamePrefix.", (c, v) => c.DetectLocal.InterfaceNamePrefix = v),
        Text("cluster-cidr", "", "The pods' address blocks, at most one per family, separated by a comma.", (c, v) => c.ClusterCIDR = v),
    ];

    private static IEnumerable<Flag> Ipvs() =>
    [
        Duration("ipvs-sync-period", "30s", "How often everything is synced (ipvs mode).", (c, v) => c.Ipvs.SyncPeriod = v),
        Duration("ipvs-min-sync-period", "1s", "The least time between two syncs (ipvs mode).", (c, v) => c.Ipvs.MinSyncPeriod = v),
        Text("ipvs-scheduler", "", "The scheduler (ipvs mode); rr if empty.", (c, v) => c.Ipvs.Scheduler = v),
        List("ipvs-exclude-cidrs", "Virtual servers in these blocks are left alone (ipvs mode).", c => c.Ipvs.ExcludeCIDRs),
        Switch("ipvs-strict-arp", false, "Answer ARP only on the interface that has the address (ipvs mode).", (c, v) => c.Ipvs.StrictARP = v),
        Duration("ipvs-tcp-timeout", "0s", "Idle timeout of TCP connections (ipvs mode).", (c, v) => c.Ipvs.TcpTimeout = v),
        Duration("ipvs-tcpfin-timeout", "0s", "Timeout of TCP connections after a FIN (ipvs mode).", (c, v) => c.Ipvs.TcpFinTimeout = v),
        Duration("ipvs-udp-timeout", "0s", "Idle timeout of UDP flows (ipvs mode).", (c, v) => c.Ipvs.UdpTimeout = v),
    ];

    private static IEnumerable<Flag> Conntrack() =>
    [
        Integer("conntrack-max-per-core", "32768", "Tracked connections per CPU to make room for; 0 leaves the limit alone.", (c, v) => c.Conntrack.MaxPerCore = v),
        Integer("conntrack-min", "131072", "Tracked connections to make room for at least.", (c, v) => c.Conntrack.Min = v),
        Duration("conntrack-tcp-timeout-established", "24h", "Timeout of idle TCP connections; 0 leaves it alone.", (c, v) => c.Conntrack.TcpEstablishedTimeout = v),
        Duration("conntrack-tcp-timeout-close-wait", "1h", "Timeout of TCP connections in CLOSE_WAIT; 0 leaves it alone.", (c, v) => c.Conntrack.TcpCloseWaitTimeout = v),
        Switch("conntrack-tcp-be-liberal", false, "Keep TCP packets out of the window in their connection.", (c, v) => c.Conntrack.TcpBeLiberal = v),
        Duration("conntrack-udp-timeout", "0s", "Timeout of UDP flows without an answer; 0 leaves it alone.", (c, v) => c.Conntrack.UdpTimeout = v),
        Duration("conntrack-udp-timeout-stream", "0s", "Timeout of UDP flows with answers; 0 leaves it alone.", (c, v) => c.Conntrack.UdpStreamTimeout = v),
    ];

    private static IEnumerable<Flag> Client() =>
    [
        Text("kubeconfig", "", "The kubeconfig file of the API server.", (c, v) => c.ClientConnection.Kubeconfig = v),
        Text("kube-api-content-type", "application/vnd.kubernetes.protobuf", "Encoding that the API server is asked for: application/vnd.kubernetes.protobuf or application/json, which is also the last resort.", (c, v) => c.ClientConnection.ContentType = v),
        Integer("kube-api-burst", "10", "API requests in a burst.", (c, v) => c.ClientConnection.Burst = v),
        new("kube-api-qps", "5", "API requests per second.") { Apply = ApplyQps },
        Duration("udp-timeout", "30s", "How long a UDP flow may be idle (userspace mode).", (c, v) => c.UdpIdleTimeout = v),
        Duration("config-sync-period", "15m", "How often the API server's lists are gone through again.", (c, v) => c.ConfigSyncPeriod = v),
    ];

    private static IEnumerable<Flag> Logging() =>
    [
        Text("logging-format", "text", "text or json.", (c, v) => c.Logging.Format = v) with { OverridesFile = true },
        Duration("log-flush-frequency", "5s", "Without effect: lines are never buffered.", (c, v) => c.Logging.FlushFrequency = v) with { OverridesFile = true },
        Integer("v", "0", "How much to log: 0 to 10.", (c, v) => c.Logging.Verbosity = v < 0 ? uint.MaxValue : (uint)v) with { ShortName = "v", OverridesFile = true },
        new("vmodule", "", "Verbosity by source, as pattern=N,pattern=N.") { OverridesFile = true, Apply = ApplyVModule },
        Switch("log-text-split-stream", false, "Needs the feature gate LoggingAlphaOptions.", (c, v) => c.Logging.Options.Text.SplitStream = v) with { OverridesFile = true },
        Switch("log-json-split-stream", false, "Needs the feature gate LoggingAlphaOptions.", (c, v) => c.Logging.Options.Json.SplitStream = v) with { OverridesFile = true },
        new("log-text-info-buffer-size", "0", "Needs the feature gate LoggingAlphaOptions.") { OverridesFile = true, Apply = (c, v) => ApplyQuantity(v, size => c.Logging.Options.Text.InfoBufferSize = size) },
        new("log-json-info-buffer-size", "0", "Needs the feature gate LoggingAlphaOptions.") { OverridesFile = true, Apply = (c, v) => ApplyQuantity(v, size => c.Logging.Options.Json.InfoBufferSize = size) },
    ];

    private static string PortOf(string address, int port) => port == 0 ? "" : ConfigurationDefaults.WithPort(address, address, port);

    private static string? ApplyQuantity(string value, Action<Quantity> set)
    {
        if (!Quantity.TryParse(value, out var quantity)) return "expected a quantity such as 64Ki";
        set(quantity);
        return null;
    }

    private static string? ApplyQps(KubeProxyConfiguration configuration, string value)
    {
        if (!float.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var qps)) return "expected a number";
        configuration.ClientConnection.Qps = qps;
        return null;
    }

    private static string? ApplyFeatureGates(KubeProxyConfiguration configuration, string value)
    {
        foreach (var item in value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = item.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || ParseBoolean(item[(equals + 1)..]) is not { } isOn) return $"expected Name=true or Name=false, found '{item}'";
            configuration.FeatureGates[item[..equals]] = isOn;
        }

        return null;
    }

    private static string? ApplyVModule(KubeProxyConfiguration configuration, string value)
    {
        List<VModuleItem> items = [];
        foreach (var item in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = item.LastIndexOf('=');
            if (equals < 0 || !uint.TryParse(item[(equals + 1)..], out var verbosity)) return $"expected pattern=N, found '{item}'";
            items.Add(new VModuleItem { FilePattern = item[..equals], Verbosity = verbosity });
        }

        configuration.Logging.Vmodule.InsertRange(0, items); // The flag's come first: the first match counts.
        return null;
    }
}
