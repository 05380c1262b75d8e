using System.Net;

namespace KubeProxy.Kubernetes;

/// <summary>How the client behaves on the network. The defaults are for production.</summary>
public sealed record ApiClientOptions
{
    /// <summary><c>User-Agent</c>.</summary>
    public string UserAgent { get; init; } = "kube-proxy";

    /// <summary>
    /// The encodings of responses in order of preference, separated by commas: <c>application/vnd.kubernetes.protobuf</c> and
    /// <c>application/json</c>, which is always asked for as the last resort. Others are not understood, and left out with a
    /// warning.
    /// </summary>
    public string AcceptContentTypes { get; init; } = WireFormats.Protobuf;

    /// <summary>
    /// Whether the server may leave out <c>metadata.managedFields</c>, which nobody here reads and which is a third of what it sends. One
    /// that does not know how (before 1.38, or without its gate ManagedFieldsOptOut) sends them.
    /// </summary>
    public bool OmitManagedFields { get; init; } = true;

    /// <summary>
    /// Whether the server may compress (gzip) lists and the initial states of watches. Watches without one are never compressed: each
    /// would cost memory for as long as it lasts, at both ends, for the little that it carries.
    /// </summary>
    public bool Compress { get; init; } = true;

    /// <summary>
    /// Time to connect, TLS included. Addresses that do not answer share it: the next one is tried while they may still do, and the first
    /// packet to each is repeated every second.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time to the head of a response. It is generous because a server may have to gather a long list first; the API server
    /// itself gives up after a minute.
    /// </summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(70);

    /// <summary>
    /// How long a response may pause. A watch gets at least a bookmark a minute, so that a longer silence means that the
    /// connection is dead, or the server is.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Looks up the addresses of a name; the system's resolver, except in tests.</summary>
    internal Func<string, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>HTTP/2: after how much silence the server is pinged.</summary>
    public TimeSpan PingDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>HTTP/2: how long it may take to answer a ping before the connection counts as dead.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Requests per second in the long run (<c>clientConnection.qps</c>); 0 or less for no limit. Further pages of a list are
    /// free.
    /// </summary>
    public double Qps { get; init; } = 5;

    /// <summary>Requests that may be made at once (<c>clientConnection.burst</c>).</summary>
    public int Burst { get; init; } = 10;

    /// <summary>The largest object that is accepted, in bytes. The API server stores at most 1.5 MiB in one.</summary>
    public int MaxObjectBytes { get; init; } = 16 << 20;
}
