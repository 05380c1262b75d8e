using KubeProxy.Core.Model;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>The TCP connections of one thread.</summary>
internal sealed partial class TcpRelay : IDisposable
{
    // A pipe's worth: few system calls for bulk transfers, and still in the processor's second-level cache.
    private const int BufferSize = 64 * 1024;

    private readonly RelayContext _context;
    private readonly DialQueue _firstDials;
    private readonly DialQueue _lastDials;
    private readonly HashSet<TcpAcceptor> _acceptors = [];
    private readonly HashSet<TcpConnection> _connections = [];

    public TcpRelay(RelayContext context, EventLoop loop)
    {
        (_context, Loop) = (context, loop);
        Budget = new BufferBudget(context.Options.MaxBufferedBytes);
        loop.Add(Pause = new AcceptPause(this));
        loop.Add(_firstDials = new DialQueue(loop, context.Options.DialTimeout));
        loop.Add(_lastDials = new DialQueue(loop, context.Options.LastDialTimeout));
    }

    public EventLoop Loop { get; }

    /// <summary>Whether connections are accepted.</summary>
    public AcceptPause Pause { get; }

    public RelayOptions Options => _context.Options;

    public RelayMetrics Metrics => _context.Metrics;

    public TimeProvider Time => _context.Time;

    /// <summary>What may be held for slow receivers.</summary>
    public BufferBudget Budget { get; }

    /// <summary>Everything passes through it, at once.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);

    /// <summary>Accepts connections from a listening socket, which it takes over.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="entrance">Who connections are from.</param>
    /// <param name="translated">See <see cref="RelayInlet"/>.</param>
    /// <returns>For <see cref="StopAccepting"/>.</returns>
    /// <exception cref="RelayException">It cannot be watched; it is left to the caller.</exception>
    public TcpAcceptor Accept(int socket, RelayEntrance entrance, bool translated = false)
    {
        var acceptor = new TcpAcceptor(this, socket, entrance, translated);
        _acceptors.Add(acceptor);
        return acceptor;
    }

    /// <summary>Closes a listening socket. Connections that were accepted go on.</summary>
    public void StopAccepting(TcpAcceptor acceptor)
    {
        _acceptors.Remove(acceptor);
        acceptor.Close();
    }

    /// <summary>Takes an accepted connection over.</summary>
    public void Take(int socket, RelayEntrance entrance, bool translated, IpAddr client)
    {
        var isKnown = translated ? _context.Sockets.TryGetOriginal(socket, out var destination) : RelaySockets.TryGetName(socket, out destination);
        if (!isKnown || _context.Table.Find(Protocol.Tcp, destination) is not { } target)
        {
            RelaySockets.Reset(socket);
            Metrics.UnknownDestination();
            return;
        }

        if (!_context.TryAddConnection())
        {
            RelaySockets.Reset(socket);
            target.Service.Counters.NotDelivered();
            return;
        }

        // Processes of this node may choose any of its addresses as their own.
        if (entrance == RelayEntrance.Localhost) client = destination.Address;
        var connection = new TcpConnection(this, socket, target.Service, target.LocalOnly(entrance), client);
        _connections.Add(connection);
        target.Service.Counters.Opened();
        connection.Dial();
    }

    /// <summary>Begins to connect to an endpoint; the socket, or a negative errno.</summary>
    /// <remarks>
    /// Rules know the relay's own packets by their transparent socket, which matters only where the endpoint's address is a frontend too.
    /// To others it connects by ordinary sockets, for the sake of what is left of them: the end that closes first stays in TIME-WAIT for a
    /// minute. When then a connection from the same local port to a service is translated, by another mode, to the same endpoint, the
    /// SYN-ACK meets that socket (tcp_early_demux) before it is translated back. The kernel looks again afterwards, since 5.12, for IPv6 since 6.7,
    /// but not if the socket is a transparent one (nf_nat_ipv4_local_in, net/netfilter/nf_nat_proto.c), and the client hangs.
    /// </remarks>
    public int Connect(IpEndpoint endpoint) =>
        _context.Sockets.ConnectTcp(endpoint, Options.Transparent && _context.Table.Find(Protocol.Tcp, endpoint) is not null);

    /// <summary>The queue for a dial after which there is another endpoint to try, or not.</summary>
    public DialQueue DialQueue(bool hasOther) => hasOther ? _firstDials : _lastDials;

    public void Closed(TcpConnection connection, RelayService service)
    {
        _connections.Remove(connection);
        service.Counters.Closed();
        _context.RemoveConnection();
    }

    public void LogExhaustion(int errno, long milliseconds) => _context.Exhausted(errno, milliseconds);

    public void LogDialFailure(RelayService service, IpEndpoint endpoint, int errno) =>
        LogDial(_context.Logger, service.Name, endpoint, Errno.Name(errno));

    /// <summary>Closes everything: clients and endpoints get a reset.</summary>
    public void Dispose()
    {
        foreach (var acceptor in _acceptors) acceptor.Close();
        foreach (var connection in _connections.ToArray()) connection.Abandon();
    }

    [LoggerMessage(3, LogLevel.Debug, "{Service}: endpoint {Endpoint} cannot be reached: {Reason}")]
    private static partial void LogDial(ILogger logger, ServicePortName service, IpEndpoint endpoint, string reason);
}
