using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>How a relay of one address family works. See <c>docs/userspace.md</c> for what the defaults are chosen for.</summary>
public sealed record RelayOptions
{
    private static readonly Lazy<(ConnectionLimit Connections, int Flows)> Process = new(() =>
    {
        const int reserved = 1024, families = 2;
        var descriptors = Math.Max(128, DescriptorLimit.Raise() - reserved);
        var flows = Math.Clamp(descriptors / (10 * families), 16, 16_384);
        return (new ConnectionLimit((descriptors - 2 * families * flows) / 2), flows);
    });

    /// <summary>The family of frontends and endpoints.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>
    /// Sockets take and send packets for addresses that are not this node's (IP_TRANSPARENT, needs CAP_NET_ADMIN), as it is
    /// needed behind tproxy rules; listeners are then bound to the loopback address. Otherwise connections are made to this
    /// node's own addresses, and listeners are bound to all of them.
    /// </summary>
    public bool Transparent { get; init; } = true;

    /// <summary>Threads that relay TCP, 1 or more. UDP has one more thread.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>TCP connections at a time. Further ones are reset. Relays with the same object share the number.</summary>
    public ConnectionLimit Connections { get; init; } = new(4096);

    /// <summary>
    /// UDP flows at a time, 1 or more; each needs a file descriptor, and so does each frontend that they come through. When there
    /// are as many, a new one takes the place of the one that was idle longest, if that was for a second or more; otherwise its
    /// datagrams are dropped.
    /// </summary>
    public int MaxUdpFlows { get; init; } = 4096;

    /// <summary>
    /// Options whose limits fit the file descriptors that this process may have, of which it gets as many as the system allows:
    /// of what is left after 1024 for other purposes, a tenth goes to the UDP of each family (16,384 flows at most), and the rest to
    /// the TCP connections of both together.
    /// </summary>
    /// <param name="family">The family.</param>
    public static RelayOptions ForThisProcess(IpFamily family) =>
        new() { Family = family, MaxUdpFlows = Process.Value.Flows, Connections = Process.Value.Connections };

    /// <summary>How long a UDP flow may be without a datagram in either direction, more than 0.</summary>
    public TimeSpan UdpIdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many endpoints are tried for one connection, 1 or more.</summary>
    public int MaxDials { get; init; } = 4;

    /// <summary>How long an endpoint may take to accept a connection while there are others to try.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the last endpoint to be tried may take.</summary>
    public TimeSpan LastDialTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection is idle before the peers are asked whether they are there; whole seconds, 1 to 32,767.</summary>
    public TimeSpan KeepAliveIdle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The time between two such questions; whole seconds, 1 to 32,767.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many questions stay unanswered before the connection counts as dead, 1 to 127.</summary>
    public int KeepAliveProbes { get; init; } = 4;

    /// <summary>Clients of one service port that session affinity remembers at a time, 1 or more.</summary>
    public int MaxAffinityClients { get; init; } = 65_536;

    /// <summary>
    /// Bytes that wait in this process for slow receivers, of each thread. When they are used up, data stays with the sender's
    /// kernel until the receiver takes it, at the cost of one more system call.
    /// </summary>
    public int MaxBufferedBytes { get; init; } = 16 << 20;
}
