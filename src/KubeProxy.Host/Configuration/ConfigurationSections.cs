using System.Text.Json.Serialization;

namespace KubeProxy.Host.Configuration;

/// <summary><c>clientConnection</c>.</summary>
public sealed record ClientConnectionConfiguration
{
    /// <summary>The kubeconfig file; empty for the cluster this pod runs in.</summary>
    public string Kubeconfig { get; set; } = "";

    /// <summary>The encodings of responses, best first, separated by commas; empty for <see cref="ContentType"/>.</summary>
    public string AcceptContentTypes { get; set; } = "";

    /// <summary>The encoding that the API server is asked for, with JSON as the last resort.</summary>
    public string ContentType { get; set; } = "";

    /// <summary>Requests per second.</summary>
    public float Qps { get; set; }

    /// <summary>Requests in a burst.</summary>
    public int Burst { get; set; }
}

/// <summary><c>iptables</c>.</summary>
public sealed record IptablesConfiguration
{
    /// <summary>The bit of the packet mark that asks for masquerading: 0 to 31.</summary>
    public int? MasqueradeBit { get; set; }

    /// <summary>Masquerade everything sent to cluster IPs.</summary>
    public bool MasqueradeAll { get; set; }

    /// <summary>Whether node ports are served on loopback addresses.</summary>
    public bool? LocalhostNodePorts { get; set; }

    /// <summary>How long after a failure a sync is tried again.</summary>
    public GoDuration SyncPeriod { get; set; }

    /// <summary>The least time between two syncs.</summary>
    public GoDuration MinSyncPeriod { get; set; }
}

/// <summary><c>nftables</c>.</summary>
public sealed record NftablesConfiguration
{
    /// <inheritdoc cref="IptablesConfiguration.MasqueradeBit"/>
    public int? MasqueradeBit { get; set; }

    /// <inheritdoc cref="IptablesConfiguration.MasqueradeAll"/>
    public bool MasqueradeAll { get; set; }

    /// <inheritdoc cref="IptablesConfiguration.SyncPeriod"/>
    public GoDuration SyncPeriod { get; set; }

    /// <inheritdoc cref="IptablesConfiguration.MinSyncPeriod"/>
    public GoDuration MinSyncPeriod { get; set; }
}

/// <summary><c>ipvs</c>.</summary>
public sealed record IpvsConfiguration
{
    /// <inheritdoc cref="IptablesConfiguration.SyncPeriod"/>
    public GoDuration SyncPeriod { get; set; }

    /// <inheritdoc cref="IptablesConfiguration.MinSyncPeriod"/>
    public GoDuration MinSyncPeriod { get; set; }

    /// <summary>The scheduler; empty for <c>rr</c>.</summary>
    public string Scheduler { get; set; } = "";

    /// <summary>Virtual servers in these blocks are left alone.</summary>
    public List<string> ExcludeCIDRs { get; set; } = [];

    /// <summary>Whether the node keeps quiet about addresses that are not on the interface asked.</summary>
    public bool StrictARP { get; set; }

    /// <summary>Idle timeout of TCP connections; 0 keeps the system's.</summary>
    public GoDuration TcpTimeout { get; set; }

    /// <summary>Timeout of TCP connections after a FIN; 0 keeps the system's.</summary>
    public GoDuration TcpFinTimeout { get; set; }

    /// <summary>Idle timeout of UDP flows; 0 keeps the system's.</summary>
    public GoDuration UdpTimeout { get; set; }
}

/// <summary><c>winkernel</c>: Windows only, read so that files for both work.</summary>
public sealed record WinkernelConfiguration
{
    /// <summary>Without effect here.</summary>
    public string NetworkName { get; set; } = "";

    /// <summary>Without effect here.</summary>
    public string SourceVip { get; set; } = "";

    /// <summary>Without effect here.</summary>
    public bool EnableDSR { get; set; }

    /// <summary>Without effect here.</summary>
    public string RootHnsEndpointName { get; set; } = "";

    /// <summary>Without effect here.</summary>
    public bool ForwardHealthCheckVip { get; set; }
}

/// <summary><c>detectLocal</c>.</summary>
public sealed record DetectLocalConfiguration
{
    /// <summary>The bridge of mode BridgeInterface.</summary>
    public string BridgeInterface { get; set; } = "";

    /// <summary>The prefix of mode InterfaceNamePrefix.</summary>
    public string InterfaceNamePrefix { get; set; } = "";
}

/// <summary><c>conntrack</c>.</summary>
public sealed record ConntrackConfiguration
{
    /// <summary>Connections per CPU to make room for; 0 leaves the limit alone.</summary>
    public int? MaxPerCore { get; set; }

    /// <summary>Connections to make room for at least.</summary>
    public int? Min { get; set; }

    /// <summary>Timeout of idle TCP connections; 0 leaves it alone.</summary>
    public GoDuration? TcpEstablishedTimeout { get; set; }

    /// <summary>Timeout of TCP connections in CLOSE_WAIT; 0 leaves it alone.</summary>
    public GoDuration? TcpCloseWaitTimeout { get; set; }

    /// <summary>Whether TCP packets out of the window still belong to their connection.</summary>
    public bool TcpBeLiberal { get; set; }

    /// <summary>Timeout of UDP flows without an answer; 0 leaves it alone.</summary>
    public GoDuration UdpTimeout { get; set; }

    /// <summary>Timeout of UDP flows with answers; 0 leaves it alone.</summary>
    public GoDuration UdpStreamTimeout { get; set; }
}

/// <summary><c>logging</c>.</summary>
public sealed record LoggingConfiguration
{
    /// <summary><c>text</c> or <c>json</c>.</summary>
    public string Format { get; set; } = "";

    /// <summary>How often buffers are flushed; lines are never buffered here.</summary>
    [JsonConverter(typeof(GoDurationOrNanosecondsJsonConverter))]
    public GoDuration FlushFrequency { get; set; }

    /// <summary>How much is logged: 0 to 10.</summary>
    public uint Verbosity { get; set; }

    /// <summary>Verbosity by source.</summary>
    public List<VModuleItem> Vmodule { get; set; } = [];

    /// <summary>Options of the formats.</summary>
    public LoggingOptions Options { get; set; } = new();
}

/// <summary>An item of <c>logging.vmodule</c>.</summary>
public sealed record VModuleItem
{
    /// <summary>The last part of a log category, with <c>*</c> and <c>?</c>.</summary>
    public string FilePattern { get; set; } = "";

    /// <summary>The verbosity there.</summary>
    public uint Verbosity { get; set; }
}

/// <summary><c>logging.options</c>.</summary>
public sealed record LoggingOptions
{
    /// <summary>Of format <c>text</c>.</summary>
    public LoggingFormatOptions Text { get; set; } = new();

    /// <summary>Of format <c>json</c>.</summary>
    public LoggingFormatOptions Json { get; set; } = new();
}

/// <summary>Options of one log format; both need the feature gate LoggingAlphaOptions.</summary>
public sealed record LoggingFormatOptions
{
    /// <summary>Whether information goes to standard output.</summary>
    public bool SplitStream { get; set; }

    /// <summary>How much of it is buffered.</summary>
    public Quantity InfoBufferSize { get; set; }
}
