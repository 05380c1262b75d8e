namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// While this host is short of descriptors or memory, no connection is accepted by one thread's listening sockets: for a moment, and
/// for a longer one if that does not help. A socket is left alone only once a client waits there, so thousands of idle ones cost nothing.
/// </summary>
internal sealed class AcceptPause(TcpRelay relay) : IDeadline
{
    private const long Shortest = 50;
    private const long Longest = 1000;

    private readonly List<TcpAcceptor> _waiting = [];
    private long _length = Shortest;

    /// <summary>When it ends.</summary>
    public long Due { get; private set; } = long.MaxValue;

    /// <summary>Whether nothing is to be accepted.</summary>
    public bool IsOn => Due != long.MaxValue;

    /// <summary>Begins a pause, unless there is one.</summary>
    public void Begin(int errno)
    {
        if (IsOn) return;
        relay.LogExhaustion(errno, _length);
        Due = relay.Loop.Now + _length;
        _length = Math.Min(_length * 2, Longest);
    }

    /// <summary>A client waits there, in the kernel's queue.</summary>
    public void Add(TcpAcceptor acceptor) => _waiting.Add(acceptor);

    /// <summary>It is closed.</summary>
    public void Remove(TcpAcceptor acceptor) => _waiting.Remove(acceptor);

    /// <summary>A connection was accepted: the next pause is a short one.</summary>
    public void NoteSuccess() => _length = Shortest;

    /// <inheritdoc/>
    public void OnDue()
    {
        _waiting.RemoveAll(acceptor => acceptor.TryResume());
        Due = _waiting.Count == 0 ? long.MaxValue : relay.Loop.Now + Longest;
    }
}
