using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Conntrack.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Tests.Backends.Relay;

/// <summary>A relay on the loopback interface, without root: frontends are addresses of 127.0.0.0/8 with the relay's own ports.</summary>
internal sealed class RelayHarness : IDisposable
{
    private readonly RelayMetrics _metrics;
    private readonly RelayServer _server;

    public RelayHarness(Func<RelayOptions, RelayOptions>? configure = null)
    {
        var options = new RelayOptions { Family = IpFamily.IPv4, Transparent = false, Threads = 2, Connections = new ConnectionLimit(256), MaxUdpFlows = 256 };
        options = configure?.Invoke(options) ?? options;
        Table = new RelayTable(TimeProvider.System, options.MaxAffinityClients);
        _metrics = new RelayMetrics(null, options.Family);
        Context = new RelayContext(options, Table, _metrics, TimeProvider.System, NullLogger.Instance, new OriginalDestinations(Conntrack));
        _server = new RelayServer(Context);
        _server.Start();
    }

    public RelayTable Table { get; }

    public InMemoryConntrack Conntrack { get; } = new();

    public RelayContext Context { get; }

    /// <summary>Where clients of a TCP service connect to.</summary>
    public IPEndPoint Tcp(int service) => new(IPAddress.Parse($"127.0.0.{service}"), PortOf(Protocol.Tcp));

    /// <summary>Where datagrams come that somebody translated.</summary>
    public IPEndPoint Translated => new(IPAddress.Loopback, _server.PortOf(new RelayInlet(Protocol.Udp, RelayEntrance.Frontend, Translated: true)));

    public IPEndPoint Udp(int service) => new(IPAddress.Parse($"127.0.0.{service}"), PortOf(Protocol.Udp));

    /// <summary>The counters of a service.</summary>
    public RelayCounters Counters(int service) => Table.Services.Single(s => s.Name.PortName == $"s{service}").Counters;

    public void Serve(int service, Protocol protocol, TimeSpan? affinity, params IPEndPoint[] endpoints)
    {
        var (address, port) = protocol == Protocol.Tcp ? (Tcp(service), PortOf(Protocol.Tcp)) : (Udp(service), PortOf(Protocol.Udp));
        ImmutableArray<IpEndpoint> list = [.. endpoints.Select(e => new IpEndpoint(IpAddr.From(e.Address), (ushort)e.Port)).Order()];
        Table.Set(new ServicePortPlan
        {
            Name = new ServicePortName(new NamespacedName("default", "s"), $"s{service}", protocol),
            Family = IpFamily.IPv4,
            Frontends =
            [
                new Frontend
                {
                    Key = new FrontendKey(IpAddr.From(address.Address), protocol, port),
                    Kind = FrontendKind.ClusterIP,
                    Destination = list.IsEmpty ? Destination.Reject : Destination.ClusterEndpoints,
                },
            ],
            ClusterEndpoints = list,
            ServingEndpoints = protocol == Protocol.Udp ? list : [],
            AffinityTimeout = affinity,
        });
        Table.Prune();
    }

    public void Dispose()
    {
        _server.Dispose();
        _metrics.Dispose();
    }

    private ushort PortOf(Protocol protocol) => _server.PortOf(new RelayInlet(protocol, RelayEntrance.Frontend, Translated: false));

    /// <summary>Waits until something is so; fails if it does not become so.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition()) await Task.Delay(5, timeout.Token);
    }

    public static async Task<Socket> ConnectAsync(EndPoint to)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(to);
        return socket;
    }

    public static Socket Listen(int backlog = 128)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(backlog);
        return socket;
    }

    public static Socket BindUdp(IPAddress? address = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>A port where nobody listens.</summary>
    public static IPEndPoint Closed()
    {
        using var socket = Listen();
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    public static IPEndPoint At(Socket socket) => (IPEndPoint)socket.LocalEndPoint!;
}
