using System.Net;

namespace KubeProxy.Kubernetes;

/// <summary>
/// The addresses of a name, looked up for each new connection. A resolver that cannot reach its servers holds a lookup for many seconds,
/// and cannot be interrupted; so the addresses of last time are used when there are none after a second, and the lookup goes on for the
/// next attempt. Thread-safe.
/// </summary>
internal sealed class ServerAddresses(Func<string, Task<IPAddress[]>> resolve, ClientMetrics metrics, TimeProvider time)
{
    /// <summary>How long a lookup may take when the addresses of last time are known.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, IPAddress[]> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Task<IPAddress[]>> _lookups = new(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="System.Net.Sockets.SocketException">The name has no address, and never had one.</exception>
    public async ValueTask<IPAddress[]> GetAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal)) return [literal];
        var (lookup, known) = Begin(host);
        try
        {
            return known is null
                ? await lookup.WaitAsync(cancellationToken)
                : await lookup.WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception e) when (known is not null && e is TimeoutException or System.Net.Sockets.SocketException)
        {
            return known!;
        }
    }

    /// <summary>One lookup of a name at a time: each holds a thread.</summary>
    private (Task<IPAddress[]> Lookup, IPAddress[]? Known) Begin(string host)
    {
        lock (_gate)
        {
            if (!_lookups.TryGetValue(host, out var lookup) || lookup.IsCompleted) _lookups[host] = lookup = LookUpAsync(host);
            return (lookup, _known.GetValueOrDefault(host));
        }
    }

    private async Task<IPAddress[]> LookUpAsync(string host)
    {
        var start = time.GetTimestamp();
        try
        {
            var addresses = await resolve(host);
            if (addresses.Length > 0)
            {
                lock (_gate) _known[host] = addresses;
            }

            return addresses;
        }
        finally
        {
            metrics.MeasureResolution(host, time.GetElapsedTime(start));
        }
    }
}
