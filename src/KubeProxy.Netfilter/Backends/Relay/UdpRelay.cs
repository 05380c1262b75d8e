using KubeProxy.Core.Model;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// The UDP flows of a relay; one thread. Datagrams come to one socket for all frontends, which tells their original destination;
/// answers leave by a socket for each frontend in use, since they have to come from its address and port.
/// </summary>
internal sealed partial class UdpRelay : IDeadline, IDisposable
{
    private const int BatchesPerTurn = 4;

    // A flow that was idle for as long may have to go for a new one.
    private const long LeastIdle = 1000;

    private readonly RelayContext _context;
    private readonly long _idleTimeout;
    private readonly Dictionary<UdpFlowKey, UdpFlow> _flows = [];
    private readonly Dictionary<IpEndpoint, UdpFrontend> _frontends = [];
    private readonly LinkedList<UdpFlow> _activity = [];
    private readonly List<UdpReceiver> _receivers = [];
    private int _flowCount;
    private int _frontendCount;

    public UdpRelay(RelayContext context, EventLoop loop)
    {
        (_context, Loop) = (context, loop);
        _idleTimeout = (long)context.Options.UdpIdleTimeout.TotalMilliseconds;
        loop.Add(this);
    }

    public EventLoop Loop { get; }

    /// <summary>Where datagrams are received.</summary>
    public DatagramBatch Batch { get; } = new();

    /// <summary>How many flows there are. For all threads.</summary>
    public int FlowCount => Volatile.Read(ref _flowCount);

    /// <summary>How many sockets answer for frontends. For all threads.</summary>
    public int FrontendCount => Volatile.Read(ref _frontendCount);

    /// <inheritdoc/>
    public long Due => _activity.First is { } first ? first.Value.LastActive + _idleTimeout : long.MaxValue;

    /// <summary>Drops flows that were idle for too long.</summary>
    public void OnDue()
    {
        while (Due <= Loop.Now) Drop(_activity.First!.Value);
    }

    /// <summary>Opens the socket of an inlet; returns its port.</summary>
    public ushort Receive(RelayInlet inlet)
    {
        var socket = _context.Sockets.ListenUdp(inlet.Translated);
        _receivers.Add(new UdpReceiver(this, socket, inlet));
        return RelaySockets.PortOf(socket);
    }

    /// <summary>Receives what is there at a socket, and sends it on.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="inlet">What it is for.</param>
    /// <param name="destination">Where all datagrams there are sent to; null if each tells.</param>
    public void Receive(int socket, RelayInlet inlet, IpEndpoint? destination)
    {
        for (var i = 0; i < BatchesPerTurn; i++)
        {
            var count = Batch.Receive(socket);
            for (var next = 0; next < count;)
            {
                if (!TryGetKey(next, inlet, destination, out var key))
                {
                    next++;
                    continue;
                }

                // Neighbours of one flow go on together.
                var end = next + 1;
                while (end < count && TryGetKey(end, inlet, destination, out var other) && other == key) end++;
                Forward(key, next, end - next);
                next = end;
            }

            if (count < DatagramBatch.Capacity) return;
        }
    }

    /// <summary>Notes that there was a datagram.</summary>
    public void NoteActivity(UdpFlow flow)
    {
        flow.LastActive = Loop.Now;
        if (_activity.Last == flow.Activity) return;
        _activity.Remove(flow.Activity);
        _activity.AddLast(flow.Activity);
    }

    /// <summary>Ends a flow.</summary>
    public void Drop(UdpFlow flow)
    {
        if (flow.Socket < 0) return;
        flow.Close();
        _flows.Remove(flow.Key);
        _activity.Remove(flow.Activity);
        if (--flow.Frontend.Flows == 0) Close(flow.Frontend);
        flow.Service.Counters.Closed(); // When nothing can be sent to its socket any more.
        Publish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var receiver in _receivers) receiver.Close();
        foreach (var flow in _flows.Values.ToArray()) Drop(flow);
        Batch.Dispose();
    }

    private bool TryGetKey(int index, RelayInlet inlet, IpEndpoint? destination, out UdpFlowKey key)
    {
        key = default;
        if (!Batch.TryGetSender(index, out var client)) return false;
        if (destination is null && Batch.TryGetDestination(index, out var told)) destination = told;
        if (destination is null) return false;
        key = new UdpFlowKey(client, destination.Value, inlet);
        return true;
    }

    private unsafe void Forward(UdpFlowKey key, int first, int count)
    {
        IpEndpoint? refusing = null;
        while (count > 0 && FindOrOpen(key, refusing) is { } flow)
        {
            NoteActivity(flow);
            var sent = Batch.Send(flow.Socket, first, count, null);
            if (sent > 0)
            {
                for (var i = first; i < first + sent; i++) flow.Service.Counters.SentToEndpoint(Batch.LengthOf(i));
                (first, count) = (first + sent, count - sent);
                continue;
            }

            if (sent == -SocketErrno.TryAgain) return; // No room: lost, like anywhere on the way.
            // An earlier datagram was answered with an ICMP error, and this one was not sent.
            flow.Service.Failed(key.Client.Address, flow.Endpoint);
            Drop(flow);
            if (refusing is not null)
            {
                flow.Service.Counters.NotDelivered();
                return;
            }

            refusing = flow.Endpoint;
        }
    }

    private UdpFlow? FindOrOpen(UdpFlowKey key, IpEndpoint? notTo)
    {
        if (_flows.TryGetValue(key, out var flow))
        {
            if (IsAllowed(flow)) return flow;
            Drop(flow);
        }

        IpEndpoint? wanted = key.Inlet.Translated ? _context.FindOriginal(key.Client, key.Destination) : key.Destination;
        if (wanted is not { } frontend || _context.Table.Find(Protocol.Udp, frontend) is not { } target)
        {
            _context.Metrics.UnknownDestination();
            return null;
        }

        var version = _context.Table.Version;
        ReadOnlySpan<IpEndpoint> tried = notTo is { } refusing ? [refusing] : [];
        var localOnly = target.LocalOnly(key.Inlet.Entrance);
        if (!target.Service.TryChoose(localOnly, key.Client.Address, tried, out var endpoint)
            && !target.Service.TryChoose(localOnly, key.Client.Address, [], out endpoint))
        {
            target.Service.Counters.NotDelivered();
            return null;
        }

        if (!MakeRoom()) return null;
        flow = Open(key, frontend, target.Service, endpoint);
        if (flow is null)
        {
            target.Service.Counters.NotDelivered();
            return null;
        }

        flow.CheckedVersion = version;
        target.Service.Reached(key.Client.Address, endpoint);
        return flow;
    }

    // Services change while flows go on: to the endpoints that still serve.
    private bool IsAllowed(UdpFlow flow)
    {
        // Meanwhile conntrack may have forgotten it, and have translated another flow to the same ports.
        if (flow.Key.Inlet.Translated && flow.LastActive + LeastIdle <= Loop.Now
            && _context.FindOriginal(flow.Key.Client, flow.Key.Destination) != flow.Wanted) return false;
        var version = _context.Table.Version;
        if (flow.CheckedVersion == version) return true;
        if (_context.Table.Find(Protocol.Udp, flow.Wanted)?.Service != flow.Service || !flow.Service.Serves(flow.Endpoint)) return false;
        flow.CheckedVersion = version;
        return true;
    }

    private bool MakeRoom()
    {
        if (_flows.Count < _context.Options.MaxUdpFlows) return true;
        if (_activity.First is { } oldest && oldest.Value.LastActive + LeastIdle <= Loop.Now)
        {
            Drop(oldest.Value);
            return true;
        }

        _context.FlowLimitReached();
        return false;
    }

    private UdpFlow? Open(UdpFlowKey key, IpEndpoint wanted, RelayService service, IpEndpoint endpoint)
    {
        var socket = _context.Sockets.ConnectUdp(endpoint);
        if (socket < 0)
        {
            service.Failed(key.Client.Address, endpoint);
            return Refuse(socket, endpoint);
        }

        if (FindOrOpen(key.Destination, key.Inlet) is not { } frontend)
        {
            _ = close(socket);
            return null;
        }

        var flow = new UdpFlow(this, key, wanted, service, endpoint, frontend, socket);
        var error = flow.Watch();
        if (error != 0)
        {
            flow.Close();
            if (frontend.Flows == 0) Close(frontend);
            return Refuse(-error, endpoint);
        }

        frontend.Flows++;
        flow.LastActive = Loop.Now;
        _flows.Add(key, flow);
        _activity.AddLast(flow.Activity);
        service.Counters.Opened();
        Publish();
        return flow;
    }

    private UdpFrontend? FindOrOpen(IpEndpoint address, RelayInlet inlet)
    {
        if (_frontends.TryGetValue(address, out var frontend)) return frontend;
        var socket = _context.Sockets.BindUdp(address, inlet.Translated);
        if (socket < 0)
        {
            Refuse(socket, address);
            return null;
        }

        // Without a translation, flows of both entrances share it.
        frontend = new UdpFrontend(this, address, inlet.Translated ? inlet : inlet with { Entrance = RelayEntrance.Frontend }, socket);
        var error = frontend.Watch();
        if (error != 0)
        {
            frontend.Close();
            Refuse(-error, address);
            return null;
        }

        _frontends.Add(address, frontend);
        return frontend;
    }

    private UdpFlow? Refuse(int negativeErrno, IpEndpoint address)
    {
        if (SocketErrno.IsExhaustion(-negativeErrno)) _context.Exhausted(-negativeErrno, 0);
        else LogSocket(_context.Logger, address, Errno.Name(-negativeErrno));
        return null;
    }

    private void Close(UdpFrontend frontend)
    {
        _frontends.Remove(frontend.Address);
        frontend.Close();
    }

    private void Publish()
    {
        Volatile.Write(ref _flowCount, _flows.Count);
        Volatile.Write(ref _frontendCount, _frontends.Count);
    }

    [LoggerMessage(7, LogLevel.Warning, "No UDP socket for {Address}: {Reason}")]
    private static partial void LogSocket(ILogger logger, IpEndpoint address, string reason);
}
