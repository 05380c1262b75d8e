using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>The relay of one family: its threads, and the ports that connections have to be sent to.</summary>
internal sealed class RelayServer : IDisposable
{
    private readonly RelayContext _context;
    private readonly List<(EventLoop Loop, IDisposable Relay)> _threads = [];
    private readonly Dictionary<RelayInlet, ushort> _ports = [];
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
                foreach (var inlet in RelayInlet.Of(Protocol.Tcp)) Accept(relay, inlet);
            }

            var udpLoop = new EventLoop(name + "-udp", context.Time, context.Logger);
            _udp = new UdpRelay(context, udpLoop);
            _threads.Add((udpLoop, _udp));
            foreach (var inlet in RelayInlet.Of(Protocol.Udp)) _ports[inlet] = _udp.Receive(inlet);
            context.Metrics.Observe(
                () => context.Table.Services, () => context.Connections, () => _udp.FlowCount, () => (4 * context.Options.Threads) + 4 + _udp.FrontendCount);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The port of an inlet.</summary>
    public ushort PortOf(RelayInlet inlet) => _ports[inlet];

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

    // Each thread has a socket of its own, all at one port.
    private void Accept(TcpRelay relay, RelayInlet inlet)
    {
        var socket = _context.Sockets.ListenTcp(_ports.GetValueOrDefault(inlet), inlet.Translated);
        relay.Accept(socket, inlet.Entrance, inlet.Translated);
        _ports[inlet] = RelaySockets.PortOf(socket);
    }
}
