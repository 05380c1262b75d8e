using KubeProxy.Core.Model;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>What datagrams of one flow have in common.</summary>
/// <param name="Client">Who sends them.</param>
/// <param name="Destination">What they bear as their destination, and what answers have to come from.</param>
/// <param name="Inlet">How they come to the relay.</param>
internal readonly record struct UdpFlowKey(IpEndpoint Client, IpEndpoint Destination, RelayInlet Inlet);

/// <summary>
/// The datagrams between a client and a frontend, and the socket towards the endpoint. The socket is connected, so that the kernel
/// tells when the endpoint's host has nobody there.
/// </summary>
internal sealed class UdpFlow : IReadiness
{
    private const int BatchesPerTurn = 2;

    private readonly UdpRelay _relay;
    private readonly SocketName _client;
    private int _slot = -1;

    public UdpFlow(UdpRelay relay, UdpFlowKey key, IpEndpoint wanted, RelayService service, IpEndpoint endpoint, UdpFrontend frontend, int socket)
    {
        (_relay, Key, Wanted, Service, Endpoint, Frontend, Socket) = (relay, key, wanted, service, endpoint, frontend, socket);
        _client = new SocketName(key.Client);
        Activity = new LinkedListNode<UdpFlow>(this);
    }

    public UdpFlowKey Key { get; }

    /// <summary>The frontend that the client sends to.</summary>
    public IpEndpoint Wanted { get; }

    public RelayService Service { get; }

    public IpEndpoint Endpoint { get; }

    /// <summary>The socket that answers are sent by.</summary>
    public UdpFrontend Frontend { get; }

    /// <summary>The socket towards the endpoint; negative when closed.</summary>
    public int Socket { get; private set; }

    /// <summary>The version of the table that allows the flow.</summary>
    public int CheckedVersion { get; set; }

    /// <summary>When there was a datagram, in milliseconds of the loop.</summary>
    public long LastActive { get; set; }

    /// <summary>The place among all flows, the least recently active first.</summary>
    public LinkedListNode<UdpFlow> Activity { get; }

    /// <summary>Has the loop tell of answers. Returns an errno.</summary>
    public int Watch() => _relay.Loop.Register(Socket, this, EPOLLIN, out _slot);

    /// <inheritdoc/>
    public unsafe void OnReady(int happenings)
    {
        for (var i = 0; i < BatchesPerTurn && Socket >= 0; i++)
        {
            var batch = _relay.Batch;
            var count = batch.Receive(Socket);
            if (count == -SocketErrno.TryAgain) return;
            if (count < 0)
            {
                // Nobody there: the next datagram goes to another endpoint.
                Service.Failed(Key.Client.Address, Endpoint);
                _relay.Drop(this);
                return;
            }

            _relay.NoteActivity(this);
            for (var j = 0; j < count; j++) Service.Counters.SentToClient(batch.LengthOf(j));
            fixed (SocketName* client = &_client) Answer(batch, count, client);
            if (count < DatagramBatch.Capacity) return;
        }
    }

    /// <inheritdoc/>
    public void Abandon() => _relay.Drop(this);

    public void Close()
    {
        if (_slot >= 0) _relay.Loop.Release(_slot);
        if (Socket >= 0) _ = close(Socket);
        (_slot, Socket) = (-1, -1);
    }

    // A datagram that cannot be sent is lost, like anywhere on its way.
    private unsafe void Answer(DatagramBatch batch, int count, SocketName* client)
    {
        for (var next = 0; next < count;) next += Math.Max(1, batch.Send(Frontend.Socket, next, count - next, client));
    }
}
