using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Configuration;

/// <summary>The values of fields that are not given (upstream's v1alpha1 defaults).</summary>
public static class ConfigurationDefaults
{
    /// <summary>The port of /healthz when only an address is given.</summary>
    public const int HealthzPort = 10256;

    /// <summary>The port of /metrics when only an address is given.</summary>
    public const int MetricsPort = 10249;

    /// <summary>Fills in what is not given.</summary>
    public static KubeProxyConfiguration Apply(KubeProxyConfiguration configuration)
    {
        configuration.Kind = KubeProxyConfiguration.SupportedKind;
        configuration.ApiVersion = KubeProxyConfiguration.SupportedApiVersion;
        ApplyAddresses(configuration);
        ApplyModes(configuration);
        ApplyConntrack(configuration.Conntrack);
        ApplyClient(configuration.ClientConnection);
        ApplyLogging(configuration.Logging);
        configuration.OomScoreAdj ??= -999;
        configuration.UdpIdleTimeout = Or(configuration.UdpIdleTimeout, 30);
        configuration.ConfigSyncPeriod = Or(configuration.ConfigSyncPeriod, 15 * 60);
        return configuration;
    }

    /// <summary>
    /// Decides what depends on other fields, once file or flags are in: the mode, how local traffic is recognised, and which
    /// addresses have node ports.
    /// </summary>
    public static KubeProxyConfiguration ApplyPlatform(KubeProxyConfiguration configuration)
    {
        if (configuration.Mode.Length == 0) configuration.Mode = ProxyMode.Iptables;
        if (configuration.DetectLocalMode.Length == 0) configuration.DetectLocalMode = DetectLocalMode.ClusterCidr;
        if (configuration is { Mode: ProxyMode.Nftables or ProxyMode.Userspace, NodePortAddresses.Count: 0 })
            configuration.NodePortAddresses = [NodePortAddresses.PrimaryKeyword];
        return configuration;
    }

    /// <summary>Gives addresses without a port the default one; an empty address stays empty.</summary>
    internal static void ApplyPorts(KubeProxyConfiguration configuration)
    {
        configuration.HealthzBindAddress = WithPort(configuration.HealthzBindAddress, "", HealthzPort);
        configuration.MetricsBindAddress = WithPort(configuration.MetricsBindAddress, "", MetricsPort);
    }

    private static void ApplyAddresses(KubeProxyConfiguration configuration)
    {
        if (configuration.BindAddress.Length == 0) configuration.BindAddress = "0.0.0.0";
        var isIPv4 = IpAddr.TryParse(configuration.BindAddress, out var address) && address.Family == IpFamily.IPv4;
        configuration.HealthzBindAddress = WithPort(configuration.HealthzBindAddress, isIPv4 ? "0.0.0.0" : "::", HealthzPort);
        configuration.MetricsBindAddress = WithPort(configuration.MetricsBindAddress, isIPv4 ? "127.0.0.1" : "::1", MetricsPort);
    }

    /// <summary><paramref name="address"/>, or else the default, with the port if it is a bare IP.</summary>
    internal static string WithPort(string address, string defaultAddress, int port)
    {
        if (address.Length == 0) address = defaultAddress;
        if (!IpAddr.TryParse(address, out _)) return address;
        return address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";
    }

    private static void ApplyModes(KubeProxyConfiguration configuration)
    {
        var iptables = configuration.Iptables;
        iptables.MasqueradeBit ??= 14;
        iptables.LocalhostNodePorts ??= true;
        iptables.SyncPeriod = Or(iptables.SyncPeriod, 30);
        iptables.MinSyncPeriod = Or(iptables.MinSyncPeriod, 1);
        var nftables = configuration.Nftables;
        nftables.MasqueradeBit ??= 14;
        nftables.SyncPeriod = Or(nftables.SyncPeriod, 30);
        nftables.MinSyncPeriod = Or(nftables.MinSyncPeriod, 1);
        configuration.Ipvs.SyncPeriod = Or(configuration.Ipvs.SyncPeriod, 30);
    }

    private static void ApplyConntrack(ConntrackConfiguration conntrack)
    {
        conntrack.MaxPerCore ??= 32 * 1024;
        conntrack.Min ??= 128 * 1024;
        conntrack.TcpEstablishedTimeout ??= GoDuration.FromSeconds(24 * 60 * 60);
        conntrack.TcpCloseWaitTimeout ??= GoDuration.FromSeconds(60 * 60);
    }

    private static void ApplyClient(ClientConnectionConfiguration client)
    {
        if (client.ContentType.Length == 0) client.ContentType = "application/vnd.kubernetes.protobuf";
        if (client.Qps == 0) client.Qps = 5;
        if (client.Burst == 0) client.Burst = 10;
    }

    private static void ApplyLogging(LoggingConfiguration logging)
    {
        if (logging.Format.Length == 0) logging.Format = "text";
        logging.FlushFrequency = Or(logging.FlushFrequency, 5);
    }

    private static GoDuration Or(GoDuration given, long seconds) =>
        given == GoDuration.Zero ? GoDuration.FromSeconds(seconds) : given;
}
