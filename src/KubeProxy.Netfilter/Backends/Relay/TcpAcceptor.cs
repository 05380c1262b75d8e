using Tmds.Linux;
using static KubeProxy.Netlink.CallResult;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Accepts the connections of one listening socket.</summary>
internal sealed class TcpAcceptor : IReadiness
{
    private const int AcceptsPerTurn = 64;

    private readonly TcpRelay _relay;
    private readonly RelayEntrance _entrance;
    private readonly bool _translated;
    private readonly int _socket;
    private readonly int _slot;
    private bool _isWaiting;

    public TcpAcceptor(TcpRelay relay, int socket, RelayEntrance entrance, bool translated)
    {
        (_relay, _socket, _entrance, _translated) = (relay, socket, entrance, translated);
        var error = relay.Loop.Register(socket, this, EPOLLIN, out _slot);
        if (error != 0) throw new RelayException("watch a listening socket", error);
    }

    /// <inheritdoc/>
    public unsafe void OnReady(int happenings)
    {
        for (var i = 0; i < AcceptsPerTurn && !_relay.Pause.IsOn; i++)
        {
            var name = default(SocketName);
            socklen_t length = SocketName.MaxLength;
            var socket = accept4(_socket, (sockaddr*)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
            var error = ErrorOf(socket);
            if (error != 0)
            {
                if (error == SocketErrno.TryAgain) return;
                // Anything else is the error of a connection that is gone already (accept(2)).
                if (SocketErrno.IsExhaustion(error)) _relay.Pause.Begin(error);
                continue;
            }

            _relay.Pause.NoteSuccess();
            if (name.TryRead(out var client)) _relay.Take(socket, _entrance, _translated, client.Address);
            else _ = close(socket);
        }

        if (_relay.Pause.IsOn) Wait();
    }

    /// <summary>Goes on after a pause.</summary>
    /// <returns>False when the kernel cannot watch the socket at present.</returns>
    public bool TryResume()
    {
        _isWaiting = _relay.Loop.Watch(_socket, _slot, EPOLLIN) != 0;
        return !_isWaiting;
    }

    /// <summary>Goes on accepting: a failure is that of one connection.</summary>
    public void Abandon() { }

    public void Close()
    {
        if (_isWaiting) _relay.Pause.Remove(this);
        _relay.Loop.Release(_slot);
        _ = close(_socket);
    }

    // The kernel would report it again and again.
    private void Wait()
    {
        if (_isWaiting) return;
        _isWaiting = true;
        _relay.Loop.Ignore(_socket);
        _relay.Pause.Add(this);
    }
}
