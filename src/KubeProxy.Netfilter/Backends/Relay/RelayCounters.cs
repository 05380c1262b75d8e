namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>What is counted of one service port. Written by all threads of the relay.</summary>
internal sealed class RelayCounters
{
    private long _connections;
    private long _active;
    private long _bytesToEndpoints;
    private long _bytesToClients;
    private long _dialFailures;
    private long _undelivered;

    public long Connections => Volatile.Read(ref _connections);

    public long Active => Volatile.Read(ref _active);

    public long BytesToEndpoints => Volatile.Read(ref _bytesToEndpoints);

    public long BytesToClients => Volatile.Read(ref _bytesToClients);

    /// <summary>Attempts to reach an endpoint that failed.</summary>
    public long DialFailures => Volatile.Read(ref _dialFailures);

    /// <summary>Connections reset and datagrams dropped because no endpoint could be reached.</summary>
    public long Undelivered => Volatile.Read(ref _undelivered);

    public void Opened()
    {
        Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _active);
    }

    public void Closed() => Interlocked.Decrement(ref _active);

    public void SentToEndpoint(long bytes) => Interlocked.Add(ref _bytesToEndpoints, bytes);

    public void SentToClient(long bytes) => Interlocked.Add(ref _bytesToClients, bytes);

    public void DialFailed() => Interlocked.Increment(ref _dialFailures);

    public void NotDelivered() => Interlocked.Increment(ref _undelivered);
}
