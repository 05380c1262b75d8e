using static KubeProxy.Netlink.CallResult;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>One of the two sockets of a relayed connection.</summary>
internal sealed class TcpSide(TcpConnection connection) : IReadiness
{
    private int _slot = -1;
    private byte[]? _held;
    private int _heldOffset;
    private int _heldEnd;

    private static int Happenings => EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

    /// <summary>The descriptor; negative when closed.</summary>
    public int Socket { get; private set; } = -1;

    /// <summary>There may be something to receive.</summary>
    public bool CanReceive { get; set; }

    /// <summary>There may be room to send.</summary>
    public bool CanSend { get; set; }

    /// <summary>The peer said that it sends no more; what came before may still have to be received.</summary>
    public bool PeerIsDone { get; private set; }

    /// <summary>All that the peer sends was received.</summary>
    public bool ReceivedAll { get; set; }

    /// <summary>The peer was told that there is no more.</summary>
    public bool SentAll { get; private set; }

    /// <summary>Something waits in this process to be sent.</summary>
    public bool Holds => _held is not null;

    /// <summary>The receiver did not keep up lately.</summary>
    public bool IsSlow { get; set; }

    public void Open(int socket)
    {
        Socket = socket;
        (CanReceive, CanSend, PeerIsDone) = (false, false, false);
    }

    /// <summary>Has the loop tell what happens: everything, when it changes. Returns an errno.</summary>
    public int Watch() => connection.Relay.Loop.Register(Socket, this, Happenings, out _slot);

    /// <inheritdoc/>
    public void OnReady(int happenings)
    {
        CanReceive |= (happenings & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0;
        CanSend |= (happenings & EPOLLOUT) != 0;
        PeerIsDone |= (happenings & (EPOLLRDHUP | EPOLLHUP)) != 0;
        connection.OnReady(this, (happenings & EPOLLERR) != 0);
    }

    /// <inheritdoc/>
    public void Abandon() => connection.Abandon();

    /// <summary>Receives; 0 at the end, negative for an errno.</summary>
    public unsafe int Receive(Span<byte> buffer, int flags = 0)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = (int)recv(Socket, start, buffer.Length, flags);
                var error = ErrorOf(count);
                if (error == 0) return count;
                if (error != SocketErrno.Interrupted) return -error;
            }
        }
    }

    /// <summary>Takes bytes away that were looked at.</summary>
    public unsafe int Discard(int count)
    {
        while (true)
        {
            var taken = (int)recv(Socket, null, count, MSG_TRUNC);
            var error = ErrorOf(taken);
            if (error == 0) return taken;
            if (error != SocketErrno.Interrupted) return -error;
        }
    }

    /// <summary>Sends as much as there is room for; negative for an errno.</summary>
    public unsafe int Send(ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            while (true)
            {
                var count = (int)send(Socket, start, data.Length, MSG_NOSIGNAL);
                var error = ErrorOf(count);
                if (error == SocketErrno.Interrupted) continue;
                if (error is not (0 or SocketErrno.TryAgain)) return -error;
                if (count < data.Length) CanSend = false;
                return Math.Max(count, 0);
            }
        }
    }

    /// <summary>Keeps what could not be sent.</summary>
    public void Hold(ReadOnlySpan<byte> data) =>
        (_held, _heldOffset, _heldEnd) = (connection.Relay.Budget.Hold(data), 0, data.Length);

    /// <summary>Sends what was kept; false for an error.</summary>
    public bool SendHeld()
    {
        if (_held is null || !CanSend) return true;
        var sent = Send(_held.AsSpan(_heldOffset, _heldEnd - _heldOffset));
        if (sent < 0) return false;
        _heldOffset += sent;
        if (_heldOffset == _heldEnd) LetGo();
        return true;
    }

    /// <summary>Tells the peer that there is no more.</summary>
    public void Finish()
    {
        SentAll = true;
        _ = shutdown(Socket, SHUT_WR);
    }

    /// <summary>Closes the socket.</summary>
    /// <param name="reset">Drops what waits to be sent, and lets the peer know.</param>
    public void Close(bool reset)
    {
        LetGo();
        if (_slot >= 0) connection.Relay.Loop.Release(_slot);
        if (Socket >= 0 && reset) RelaySockets.Reset(Socket);
        else if (Socket >= 0) _ = close(Socket);
        (_slot, Socket) = (-1, -1);
    }

    private void LetGo()
    {
        if (_held is null) return;
        connection.Relay.Budget.LetGo(_held);
        _held = null;
    }
}
