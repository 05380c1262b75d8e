using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// Relays TCP connections to single ports of this node's loopback address, 127.0.0.1 or ::1. Nothing is redirected to it: for each
/// port there is a listening socket of its own. One thread, since only processes of this node can connect.
/// </summary>
internal sealed class LocalhostRelay : IDisposable
{
    private readonly RelayContext _context;
    private readonly EventLoop _loop;
    private readonly TcpRelay _relay;
    private readonly Dictionary<ushort, TcpAcceptor> _listeners = [];
    private int _listenerCount;

    /// <summary>Makes it; nothing happens before <see cref="Start"/>. The sockets must not be transparent ones.</summary>
    /// <exception cref="RelayException">There are no descriptors left.</exception>
    public LocalhostRelay(RelayContext context)
    {
        _context = context;
        Address = IpAddr.Parse(context.Options.Family == IpFamily.IPv4 ? "127.0.0.1" : "::1");
        _loop = new EventLoop($"localhost-{context.Options.Family}", context.Time, context.Logger);
        _relay = new TcpRelay(context, _loop);
        context.Metrics.Observe(() => context.Table.Services, () => context.Connections, () => 0, () => ListenerCount);
    }

    /// <summary>The loopback address.</summary>
    public IpAddr Address { get; }

    /// <summary>Where it looks up what a port leads to.</summary>
    public RelayTable Table => _context.Table;

    /// <summary>How many ports are open.</summary>
    public int ListenerCount => Volatile.Read(ref _listenerCount);

    /// <summary>Starts the thread, in the network namespace of the calling one.</summary>
    public void Start() => _loop.Start(Close);

    /// <summary>
    /// Has exactly these ports open, as far as that is possible. Connections through a port that is closed go on. From any thread, but
    /// not from several at a time, and not after <see cref="Dispose"/>.
    /// </summary>
    /// <returns>The ports that cannot be opened, each with its errno, a positive number.</returns>
    public Task<IReadOnlyDictionary<ushort, int>> ListenAsync(IReadOnlySet<ushort> ports)
    {
        var done = new TaskCompletionSource<IReadOnlyDictionary<ushort, int>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() =>
        {
            try
            {
                done.SetResult(Listen(ports));
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Ends the thread; connections are reset.</summary>
    public void Dispose()
    {
        if (!_loop.Stop()) Close();
        _context.Metrics.Dispose();
    }

    private Dictionary<ushort, int> Listen(IReadOnlySet<ushort> ports)
    {
        foreach (var (port, acceptor) in _listeners)
        {
            if (ports.Contains(port)) continue;
            _relay.StopAccepting(acceptor);
            _listeners.Remove(port);
        }

        var failures = new Dictionary<ushort, int>();
        foreach (var port in ports)
        {
            if (_listeners.ContainsKey(port)) continue;
            var errno = Open(port);
            if (errno != 0) failures.Add(port, errno);
        }

        Volatile.Write(ref _listenerCount, _listeners.Count);
        return failures;
    }

    private int Open(ushort port)
    {
        var socket = _context.Sockets.ListenTcpAlone(new IpEndpoint(Address, port));
        if (socket < 0) return -socket;
        try
        {
            _listeners.Add(port, _relay.Accept(socket, RelayEntrance.Localhost));
            return 0;
        }
        catch (RelayException e)
        {
            RelaySockets.Reset(socket);
            return e.Errno;
        }
    }

    private void Close()
    {
        _relay.Dispose();
        Volatile.Write(ref _listenerCount, 0);
    }
}
