namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>The relay of one family: its threads, and the ports that connections have to be sent to.</summary>
internal sealed class RelayServer : IDisposable
{
    private readonly RelayContext _context;
    private readonly List<(EventLoop Loop, IDisposable Relay)> _threads = [];
    private readonly UdpRelay _udp;

    /// <summary>Opens the sockets; nothing is accepted before <see cref="Start"/>.</summary>
    /// <exception cref="RelayException">A socket cannot be opened; without CAP_NET_ADMIN, a transparent one.</exception>
    public RelayServer(RelayContext context)
    {
        _context = context;
        try
        {
            var name = $"relay-{context.Options.Family}";
            for (var i = 0; i < context.Options.Threads; i++)
            {
                var loop = new EventLoop($"{name}-{i}", context.Time, context.Logger);
                var relay = new TcpRelay(context, loop);
                _threads.Add((loop, relay));
                TcpPort = Accept(relay, TcpPort, RelayEntrance.Frontend);
                ShortCircuitTcpPort = Accept(relay, ShortCircuitTcpPort, RelayEntrance.ShortCircuit);
            }

            var udpLoop = new EventLoop(name + "-udp", context.Time, context.Logger);
            _udp = new UdpRelay(context, udpLoop);
            _threads.Add((udpLoop, _udp));
            UdpPort = _udp.Receive(RelayEntrance.Frontend);
            ShortCircuitUdpPort = _udp.Receive(RelayEntrance.ShortCircuit);
            context.Metrics.Observe(
                () => context.Table.Services, () => context.Connections, () => _udp.FlowCount, () => (2 * context.Options.Threads) + 2 + _udp.FrontendCount);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The port for TCP connections to frontends.</summary>
    public ushort TcpPort { get; }

    /// <summary>The port for TCP connections that <see cref="RelayEntrance.ShortCircuit"/> is about.</summary>
    public ushort ShortCircuitTcpPort { get; }

    /// <summary>The port for UDP datagrams to frontends.</summary>
    public ushort UdpPort { get; }

    /// <summary>The port for UDP datagrams that <see cref="RelayEntrance.ShortCircuit"/> is about.</summary>
    public ushort ShortCircuitUdpPort { get; }

    /// <summary>Starts the threads, in the network namespace of the calling one.</summary>
    public void Start()
    {
        foreach (var (loop, relay) in _threads) loop.Start(relay.Dispose);
    }

    /// <summary>Ends the threads; connections are reset.</summary>
    public void Dispose()
    {
        foreach (var (loop, relay) in _threads)
        {
            if (!loop.Stop()) relay.Dispose();
        }

        _threads.Clear();
        _context.Metrics.Dispose();
    }

    private ushort Accept(TcpRelay relay, ushort port, RelayEntrance entrance)
    {
        var socket = _context.Sockets.ListenTcp(port);
        relay.Accept(socket, entrance);
        return RelaySockets.PortOf(socket);
    }
}
