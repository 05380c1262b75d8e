namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Connections whose endpoint has not answered yet, all with the same patience, so that they time out in order.</summary>
internal sealed class DialQueue(EventLoop loop, TimeSpan timeout) : IDeadline
{
    private readonly LinkedList<(TcpConnection Connection, long Due)> _waiting = [];

    /// <inheritdoc/>
    public long Due => _waiting.First?.Value.Due ?? long.MaxValue;

    public void Add(TcpConnection connection) =>
        connection.Dialing = _waiting.AddLast((connection, loop.Now + (long)timeout.TotalMilliseconds));

    /// <summary>No longer waits for it.</summary>
    public static void Remove(TcpConnection connection)
    {
        connection.Dialing?.List?.Remove(connection.Dialing);
        connection.Dialing = null;
    }

    /// <inheritdoc/>
    public void OnDue()
    {
        while (Due <= loop.Now) _waiting.First!.Value.Connection.DialTimedOut();
    }
}
