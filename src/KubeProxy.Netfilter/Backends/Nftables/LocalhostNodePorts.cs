using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// Has the relay listen on the loopback address for the node ports of TCP that have endpoints: the kernel does not send packets from
/// 127.0.0.0/8 or ::1 to other hosts, whatever they are translated to. A port that cannot be opened is tried again with each sync, and
/// every few seconds: nobody tells when another process closes it.
/// </summary>
/// <param name="relay">Listens, and connects to the endpoints.</param>
/// <param name="metrics">Counts what fails.</param>
/// <param name="time">When to try again.</param>
/// <param name="logger">Where that is said.</param>
internal sealed partial class LocalhostNodePorts(LocalhostRelay relay, LocalhostMetrics metrics, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);
    private static readonly IReadOnlyDictionary<ushort, int> None = new Dictionary<ushort, int>();

    private readonly Dictionary<ServicePortName, ushort> _ports = [];
    private IReadOnlyDictionary<ushort, int> _failures = None;
    private bool _changed = true;
    private bool _isOpen;
    private ITimer? _retry;

    /// <summary>Before the first sync; again after a start that failed, with the same <paramref name="requestSync"/>.</summary>
    /// <param name="requestSync">Called on a thread of the pool when ports are to be tried again.</param>
    public void Start(Action<string> requestSync) => _retry ??= time.CreateTimer(
        _ => requestSync("node ports on the loopback address are not open yet"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Notes what changed. A connection that comes now may see it already; ports are opened and closed by <see cref="ApplyAsync"/>.</summary>
    public void Absorb(PlanChanges changes)
    {
        foreach (var name in changes.Removed) Remove(name);
        foreach (var plan in changes.Updated)
        {
            if (plan.Frontends.FirstOrDefault(IsServed) is not { } frontend)
            {
                Remove(plan.Name);
                continue;
            }

            relay.Table.Set(plan.WithFrontends(key => key == frontend.Key));
            _changed |= !_ports.TryGetValue(plan.Name, out var before) || before != frontend.Key.Port;
            _ports[plan.Name] = frontend.Key.Port;
        }
    }

    /// <summary>Opens and closes ports.</summary>
    /// <param name="open">Whether any are to be open.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task ApplyAsync(bool open, CancellationToken cancellationToken)
    {
        if (_changed || open != _isOpen || _failures.Count > 0)
        {
            _changed = true; // Until it is done.
            var failures = await relay.ListenAsync(open ? _ports.Values.ToHashSet() : []).WaitAsync(cancellationToken);
            foreach (var (port, errno) in failures)
            {
                metrics.CreationFailed();
                if (!_failures.ContainsKey(port)) LogFailure(logger, relay.Address, port, Errno.Name(errno));
            }

            (_failures, _isOpen, _changed) = (failures, open, false);
        }

        _retry?.Change(_failures.Count > 0 ? RetryInterval : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        relay.Table.Prune();
    }

    /// <summary>Tries no more. The relay is not its own.</summary>
    public void Dispose() => _retry?.Dispose();

    private static bool IsServed(Frontend frontend) => frontend.Key is { Address: null, Protocol: Protocol.Tcp } && frontend.IsBalanced;

    private void Remove(ServicePortName name)
    {
        if (!_ports.Remove(name)) return;
        relay.Table.Remove(name);
        _changed = true;
    }

    [LoggerMessage(1, LogLevel.Error, "Node port {Port} is not open on {Address}: {Reason}. It is tried again every few seconds")]
    private static partial void LogFailure(ILogger logger, IpAddr address, ushort port, string reason);
}
