using KubeProxy.Core.Model;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>What the threads of a relay share.</summary>
internal sealed partial class RelayContext(RelayOptions options, RelayTable table, RelayMetrics metrics, TimeProvider time, ILogger logger, OriginalDestinations? originals = null)
{
    private static readonly TimeSpan ComplaintInterval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<Complaint, (long At, long Suppressed)> _complaints = [];
    private int _connections;

    public RelayOptions Options { get; } = options;

    public RelaySockets Sockets { get; } = new(options);

    public RelayTable Table { get; } = table;

    public RelayMetrics Metrics { get; } = metrics;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    /// <summary>
    /// Where datagrams were sent to that were translated on their way here; null when that is unknown. For the thread of UDP.
    /// </summary>
    public IpEndpoint? FindOriginal(IpEndpoint client, IpEndpoint local)
    {
        try
        {
            return originals?.Find(Protocol.Udp, client, local);
        }
        catch (NetlinkException e)
        {
            if (MayComplain(Complaint.Conntrack, out var suppressed)) LogConntrack(Logger, e.Message, suppressed);
            return null;
        }
    }

    /// <summary>TCP connections now.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Counts a connection; false when there are as many as allowed.</summary>
    public bool TryAddConnection()
    {
        if (Options.Connections.TryEnter())
        {
            Interlocked.Increment(ref _connections);
            return true;
        }

        Metrics.Refused(RelayMetrics.ConnectionLimit);
        if (MayComplain(Complaint.ConnectionLimit, out var suppressed)) LogConnectionLimit(Logger, Options.Connections.Maximum, suppressed);
        return false;
    }

    public void RemoveConnection()
    {
        Interlocked.Decrement(ref _connections);
        Options.Connections.Leave();
    }

    /// <summary>All flows that are allowed are there, and in use.</summary>
    public void FlowLimitReached()
    {
        Metrics.Refused(RelayMetrics.FlowLimit);
        if (MayComplain(Complaint.FlowLimit, out var suppressed)) LogFlowLimit(Logger, Options.MaxUdpFlows, suppressed);
    }

    /// <summary>The host is short of descriptors or memory.</summary>
    public void Exhausted(int errno, long milliseconds)
    {
        Metrics.Refused(RelayMetrics.Exhaustion);
        if (MayComplain(Complaint.Exhaustion, out var suppressed)) LogExhaustion(Logger, Errno.Name(errno), milliseconds, suppressed);
    }

    // A flood must not become a flood of log lines.
    private bool MayComplain(Complaint about, out long suppressed)
    {
        lock (_gate)
        {
            var known = _complaints.TryGetValue(about, out var last);
            var may = !known || Time.GetElapsedTime(last.At) >= ComplaintInterval;
            suppressed = last.Suppressed;
            _complaints[about] = may ? (Time.GetTimestamp(), 0) : (last.At, last.Suppressed + 1);
            return may;
        }
    }

    [LoggerMessage(4, LogLevel.Warning, "{Limit} connections are relayed, which is the limit: further ones are reset ({Suppressed} more were since the last such message)")]
    private static partial void LogConnectionLimit(ILogger logger, int limit, long suppressed);

    [LoggerMessage(5, LogLevel.Warning, "{Limit} UDP flows are in use, which is the limit: datagrams of further ones are dropped ({Suppressed} more were since the last such message)")]
    private static partial void LogFlowLimit(ILogger logger, int limit, long suppressed);

    [LoggerMessage(6, LogLevel.Error, "The kernel refuses another connection: {Reason}. None is accepted for {Milliseconds} ms ({Suppressed} more refusals since the last such message)")]
    private static partial void LogExhaustion(ILogger logger, string reason, long milliseconds, long suppressed);

    [LoggerMessage(8, LogLevel.Error, "A datagram from a bridge of this node is dropped, since conntrack does not tell what it was sent to: {Reason} ({Suppressed} more since the last such message)")]
    private static partial void LogConntrack(ILogger logger, string reason, long suppressed);

    private enum Complaint
    {
        ConnectionLimit,
        FlowLimit,
        Exhaustion,
        Conntrack,
    }
}
