using System.Text.Json.Serialization;

namespace KubeProxy.Host.Configuration;

/// <summary>
/// <c>KubeProxyConfiguration</c> of <c>kubeproxy.config.k8s.io/v1alpha1</c>, field by field; see docs/configuration.md.
/// Null means "not given" where Kubernetes distinguishes that from zero. Filled by the JSON binder and then by
/// <see cref="ConfigurationDefaults"/>; treated as read-only from then on.
/// </summary>
public sealed record KubeProxyConfiguration
{
    /// <summary>The API version read and written.</summary>
    public const string SupportedApiVersion = "kubeproxy.config.k8s.io/v1alpha1";

    /// <summary>The kind read and written.</summary>
    public const string SupportedKind = "KubeProxyConfiguration";

    /// <summary><c>kind</c>.</summary>
    public string Kind { get; set; } = "";

    /// <summary><c>apiVersion</c>.</summary>
    public string ApiVersion { get; set; } = "";

    /// <summary>Feature gates switched on or off.</summary>
    public Dictionary<string, bool> FeatureGates { get; set; } = [];

    /// <summary>How to reach the API server.</summary>
    public ClientConnectionConfiguration ClientConnection { get; set; } = new();

    /// <summary>Logging.</summary>
    public LoggingConfiguration Logging { get; set; } = new();

    /// <summary>The node's name, if it is not the host name.</summary>
    public string HostnameOverride { get; set; } = "";

    /// <summary>The node's IP address; an unspecified one (<c>0.0.0.0</c>) leaves that to the Node object.</summary>
    public string BindAddress { get; set; } = "";

    /// <summary>Where /healthz and /livez are served; empty for nowhere.</summary>
    public string HealthzBindAddress { get; set; } = "";

    /// <summary>Where /metrics and the like are served.</summary>
    public string MetricsBindAddress { get; set; } = "";

    /// <summary>Whether a failure to listen ends the process.</summary>
    public bool BindAddressHardFail { get; set; }

    /// <summary>Whether the metrics server offers profiles.</summary>
    public bool EnableProfiling { get; set; }

    /// <summary>The previous minor version, to show its hidden metrics again.</summary>
    public string ShowHiddenMetricsForVersion { get; set; } = "";

    /// <summary>The proxy mode; see <see cref="ProxyMode"/>.</summary>
    public string Mode { get; set; } = "";

    /// <summary>The iptables mode.</summary>
    public IptablesConfiguration Iptables { get; set; } = new();

    /// <summary>The ipvs mode.</summary>
    public IpvsConfiguration Ipvs { get; set; } = new();

    /// <summary>The nftables mode.</summary>
    public NftablesConfiguration Nftables { get; set; } = new();

    /// <summary>Windows; without effect here.</summary>
    public WinkernelConfiguration Winkernel { get; set; } = new();

    /// <summary>How local traffic is recognised; see <see cref="Configuration.DetectLocalMode"/>.</summary>
    public string DetectLocalMode { get; set; } = "";

    /// <summary>What <see cref="DetectLocalMode"/> needs.</summary>
    public DetectLocalConfiguration DetectLocal { get; set; } = new();

    /// <summary>The pods' address blocks, at most one per family, separated by a comma.</summary>
    public string ClusterCIDR { get; set; } = "";

    /// <summary>The node's addresses that accept node ports: blocks, <c>primary</c>, <c>localhost</c>, <c>all</c>.</summary>
    public List<string> NodePortAddresses { get; set; } = [];

    /// <summary>Where external and load-balancer IPs have to lie; the flag <c>--vip-ranges</c>, which upstream does not have, and no field.</summary>
    [JsonIgnore]
    public List<string> VipRanges { get; set; } = [];

    /// <summary>What the kernel's out-of-memory killer makes of this process: -1000 to 1000.</summary>
    public int? OomScoreAdj { get; set; }

    /// <summary>Connection tracking limits.</summary>
    public ConntrackConfiguration Conntrack { get; set; } = new();

    /// <summary>How often the API server's lists are gone through again.</summary>
    public GoDuration ConfigSyncPeriod { get; set; }

    /// <summary>How long a UDP flow may be idle in the userspace mode. (Upstream had it while it had that mode.)</summary>
    public GoDuration UdpIdleTimeout { get; set; }

    /// <summary>Without effect.</summary>
    public string PortRange { get; set; } = "";

    /// <summary>Windows; without effect here.</summary>
    public bool WindowsRunAsService { get; set; }
}
