using System.Runtime.InteropServices;
using KubeProxy.Netlink.Interop;

namespace KubeProxy.Netfilter.Relay;

/// <summary>Accepts the connections of one listening socket. Pauses while this host is short of descriptors or memory.</summary>
internal sealed class TcpAcceptor : IReadiness, IDeadline
{
    private const int AcceptsPerTurn = 64;
    private const long ShortestPause = 50;
    private const long LongestPause = 1000;

    private readonly TcpRelay _relay;
    private readonly RelayEntrance _entrance;
    private readonly int _socket;
    private readonly int _slot;
    private long _pause = ShortestPause;

    public TcpAcceptor(TcpRelay relay, int socket, RelayEntrance entrance)
    {
        (_relay, _socket, _entrance) = (relay, socket, entrance);
        var errno = relay.Loop.Register(socket, this, LibC.EPOLLIN, out _slot);
        if (errno != 0) throw new RelayException("watch a listening socket", errno);
    }

    /// <summary>When it goes on accepting.</summary>
    public long Due { get; private set; } = long.MaxValue;

    /// <inheritdoc/>
    public void OnDue()
    {
        Due = long.MaxValue;
        var errno = _relay.Loop.Watch(_socket, _slot, LibC.EPOLLIN);
        if (errno != 0) Due = _relay.Loop.Now + LongestPause;
    }

    /// <inheritdoc/>
    public unsafe void OnReady(uint happenings)
    {
        for (var i = 0; i < AcceptsPerTurn && Due == long.MaxValue; i++)
        {
            var name = default(SocketName);
            var length = (uint)SocketName.MaxLength;
            var socket = LibC.Accept(_socket, &name, &length, LibC.SOCK_NONBLOCK | LibC.SOCK_CLOEXEC);
            if (socket < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno == SocketErrno.TryAgain) return;
                // Anything else is the error of a connection that is gone already (accept(2)).
                if (SocketErrno.IsExhaustion(errno)) Pause(errno);
                continue;
            }

            _pause = ShortestPause;
            if (name.TryRead(out var client)) _relay.Take(socket, _entrance, client.Address);
            else _ = LibC.Close(socket);
        }
    }

    /// <summary>Accepts nothing for a moment, and for a longer one if that does not help. Clients wait in the kernel's queue.</summary>
    public void Pause(int errno)
    {
        if (Due != long.MaxValue) return;
        _relay.LogExhaustion(errno, _pause);
        _relay.Loop.Ignore(_socket);
        Due = _relay.Loop.Now + _pause;
        _pause = Math.Min(_pause * 2, LongestPause);
    }

    /// <summary>Goes on accepting: a failure is that of one connection.</summary>
    public void Abandon() { }

    public void Close()
    {
        _relay.Loop.Release(_slot);
        _ = LibC.Close(_socket);
    }
}
