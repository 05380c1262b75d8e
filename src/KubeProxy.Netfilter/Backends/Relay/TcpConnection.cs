using System.Runtime.CompilerServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// A client's connection and the one to its endpoint. Data goes from one socket to the other through the thread's buffer; what
/// the receiver has no room for is kept, and no more is received until it is gone. The end of a direction and a
/// reset are passed on.
/// </summary>
internal sealed class TcpConnection
{
    // Then others get their turn.
    private const int ReceivesPerTurn = 16;

    private readonly RelayService _service;
    private readonly IpAddr _client;
    private readonly bool _localOnly;
    private readonly TcpSide _clientSide;
    private readonly TcpSide _endpointSide;
    private Tried _tried;
    private int _dials;
    private long _dialedAt;
    private bool _isConnected;
    private bool _isClosed;
    private bool _isDeferred;

    public TcpConnection(TcpRelay relay, int socket, RelayService service, bool localOnly, IpAddr client)
    {
        (Relay, _service, _localOnly, _client) = (relay, service, localOnly, client);
        (_clientSide, _endpointSide) = (new TcpSide(this), new TcpSide(this));
        _clientSide.Open(socket);
    }

    public TcpRelay Relay { get; }

    /// <summary>The place in the queue of those whose endpoint has not answered yet.</summary>
    public LinkedListNode<(TcpConnection Connection, long Due)>? Dialing { get; set; }

    /// <summary>The endpoint, or the one being tried.</summary>
    public IpEndpoint Endpoint => _tried[_dials - 1];

    /// <summary>Connects to an endpoint, or goes on to the next one.</summary>
    public void Dial()
    {
        while (_dials < Math.Min(Relay.Options.MaxDials, Tried.Capacity)
            && _service.TryChoose(_localOnly, _client, _tried[.._dials], out var endpoint))
        {
            _tried[_dials++] = endpoint;
            _dialedAt = Relay.Time.GetTimestamp();
            var errno = TryDial(endpoint);
            if (errno == 0)
            {
                var hasOther = _dials < Relay.Options.MaxDials && _service.HasOther(_localOnly, _tried[.._dials]);
                Relay.DialQueue(hasOther).Add(this);
                return;
            }

            _endpointSide.Close(reset: true);
            if (SocketErrno.IsExhaustion(errno))
            {
                Relay.Pause.Begin(errno);
                break;
            }

            Fail(endpoint, errno);
        }

        _service.Counters.NotDelivered();
        Close(reset: true);
    }

    /// <summary>The endpoint took too long.</summary>
    public void DialTimedOut() => DialFailed(SocketErrno.TimedOut);

    /// <summary>One of the sockets has something to report.</summary>
    public void OnReady(TcpSide side, bool isError)
    {
        if (_isClosed) return;
        _isDeferred = false;
        if (!_isConnected)
        {
            if (side == _endpointSide) OnDialed(isError);
            return;
        }

        if (isError) Pump(side, side == _clientSide ? _endpointSide : _clientSide); // What came before the reset.
        if (isError || !Pump(_clientSide, _endpointSide) || !Pump(_endpointSide, _clientSide)) Close(reset: true);
        else if (_clientSide.SentAll && _endpointSide.SentAll) Close(reset: false);
    }

    /// <summary>Closes both sockets at once.</summary>
    public void Abandon() => Close(reset: true);

    private int TryDial(IpEndpoint endpoint)
    {
        var socket = Relay.Connect(endpoint);
        if (socket < 0) return -socket;
        _endpointSide.Open(socket);
        return _endpointSide.Watch();
    }

    private void OnDialed(bool isError)
    {
        var errno = isError ? RelaySockets.TakeError(_endpointSide.Socket) : 0;
        if (errno != 0 || isError)
        {
            DialFailed(errno);
            return;
        }

        if (!_endpointSide.CanSend) return;
        DialQueue.Remove(this);
        _service.Reached(_client, Endpoint);
        Relay.Metrics.Dialed(_service, Relay.Time.GetElapsedTime(_dialedAt));
        _isConnected = true;
        _clientSide.CanSend = true;
        errno = _clientSide.Watch();
        if (errno != 0) Close(reset: true);
    }

    private void DialFailed(int errno)
    {
        DialQueue.Remove(this);
        _endpointSide.Close(reset: true);
        Fail(Endpoint, errno);
        Dial();
    }

    private void Fail(IpEndpoint endpoint, int errno)
    {
        _service.Failed(_client, endpoint);
        Relay.LogDialFailure(_service, endpoint, errno);
    }

    // False when the connection is broken.
    private bool Pump(TcpSide from, TcpSide to)
    {
        if (!to.SendHeld()) return false;
        for (var i = 0; from.CanReceive && to.CanSend && !to.Holds && !from.ReceivedAll; i++)
        {
            if (i == ReceivesPerTurn)
            {
                Defer();
                return true;
            }

            // With no room to keep anything, or when something would have to be kept again, nothing is taken that cannot be sent.
            var careful = to.IsSlow || !Relay.Budget.HasRoomFor(Relay.Buffer.Length);
            if (!(careful ? MoveCarefully(from, to) : Move(from, to))) return false;
        }

        if (from.ReceivedAll && !to.Holds && !to.SentAll) to.Finish();
        return true;
    }

    private bool Move(TcpSide from, TcpSide to)
    {
        var buffer = Relay.Buffer.AsSpan();
        var received = from.Receive(buffer);
        if (received <= 0) return EndOf(from, received);
        // Less than asked for is all there was; the next arrival is reported. The end is not reported again.
        if (received < buffer.Length && !from.PeerIsDone) from.CanReceive = false;
        Count(to, received);
        var sent = to.Send(buffer[..received]);
        if (sent < 0) return false;
        if (sent == received) return true;
        to.Hold(buffer[sent..received]);
        to.IsSlow = true;
        return true;
    }

    private bool MoveCarefully(TcpSide from, TcpSide to)
    {
        const int peek = 2; // MSG_PEEK
        var buffer = Relay.Buffer.AsSpan();
        var received = from.Receive(buffer, peek);
        if (received <= 0) return EndOf(from, received);
        var sent = to.Send(buffer[..received]);
        if (sent < 0 || (sent > 0 && from.Discard(sent) < 0)) return false;
        Count(to, sent);
        if (sent < received) return true;
        to.IsSlow = false;
        if (received < buffer.Length && !from.PeerIsDone) from.CanReceive = false;
        return true;
    }

    private static bool EndOf(TcpSide from, int received)
    {
        if (received == 0) from.ReceivedAll = true;
        from.CanReceive = false;
        return received == 0 || received == -SocketErrno.TryAgain;
    }

    private void Count(TcpSide to, int bytes)
    {
        if (to == _endpointSide) _service.Counters.SentToEndpoint(bytes);
        else _service.Counters.SentToClient(bytes);
    }

    private void Defer()
    {
        if (_isDeferred) return;
        _isDeferred = true;
        Relay.Loop.Defer(_clientSide);
    }

    private void Close(bool reset)
    {
        if (_isClosed) return;
        _isClosed = true;
        DialQueue.Remove(this);
        _clientSide.Close(reset);
        _endpointSide.Close(reset);
        Relay.Closed(this, _service);
    }

    // Endpoints that were tried, the current one last.
    [InlineArray(Capacity)]
    private struct Tried
    {
        public const int Capacity = 8;

        private IpEndpoint _first;
    }
}
