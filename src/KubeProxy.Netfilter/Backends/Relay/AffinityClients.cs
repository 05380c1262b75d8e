using System.Runtime.InteropServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Which client sticks to which endpoint of one service port, until when. Bounded; thread-safe.</summary>
internal sealed class AffinityClients(TimeProvider time, int limit)
{
    private const int SmallestSweep = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<IpAddr, Sticky> _clients = [];
    private int _sweepAt = SmallestSweep;

    /// <summary>How many clients are remembered, some of them perhaps expired.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _clients.Count;
        }
    }

    /// <summary>The endpoint that the client was sent to last, if that is not too long ago.</summary>
    public IpEndpoint? Find(IpAddr client)
    {
        lock (_gate)
        {
            if (!_clients.TryGetValue(client, out var sticky)) return null;
            if (sticky.Until > Now) return sticky.Endpoint;
            _clients.Remove(client);
            return null;
        }
    }

    /// <summary>Remembers it. When too many clients are remembered already, the client is not: it may be sent elsewhere next time.</summary>
    public void Set(IpAddr client, IpEndpoint endpoint, TimeSpan timeout)
    {
        lock (_gate)
        {
            if (_clients.Count >= _sweepAt) Sweep();
            var isFull = _clients.Count >= limit;
            if (isFull && !_clients.ContainsKey(client)) return;
            ref var sticky = ref CollectionsMarshal.GetValueRefOrAddDefault(_clients, client, out _);
            sticky = new Sticky(endpoint, Now + (long)(timeout.TotalSeconds * time.TimestampFrequency));
        }
    }

    /// <summary>Forgets that the client sticks to the endpoint.</summary>
    public void Remove(IpAddr client, IpEndpoint endpoint)
    {
        lock (_gate)
        {
            if (_clients.TryGetValue(client, out var sticky) && sticky.Endpoint == endpoint) _clients.Remove(client);
        }
    }

    /// <summary>Forgets those whose endpoint is not among the given.</summary>
    public void Keep(IReadOnlySet<IpEndpoint> endpoints)
    {
        lock (_gate) RemoveWhere(sticky => !endpoints.Contains(sticky.Endpoint));
    }

    private long Now => time.GetTimestamp();

    // At most once for as many additions as there were clients left the last time, so that it costs each addition little.
    private void Sweep()
    {
        var now = Now;
        RemoveWhere(sticky => sticky.Until <= now);
        _sweepAt = Math.Max(SmallestSweep, _clients.Count * 2);
    }

    private void RemoveWhere(Func<Sticky, bool> condition)
    {
        foreach (var (client, sticky) in _clients)
            if (condition(sticky)) _clients.Remove(client);
    }

    private readonly record struct Sticky(IpEndpoint Endpoint, long Until);
}
