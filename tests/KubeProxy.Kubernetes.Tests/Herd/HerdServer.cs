using System.Net;

namespace KubeProxy.Kubernetes.Tests.Herd;

/// <summary>
/// A server that can do so much a second, queues half a second of work, and refuses the rest with 429 and <c>Retry-After: 1</c>, as the API
/// server does. While it is away connections are refused. It comes back without history.
/// </summary>
internal sealed class HerdServer(VirtualTime time, double perSecond)
{
    private const double QueueSeconds = 0.5;

    /// <summary>What a list costs of what a watch does.</summary>
    private const double ListCost = 3;

    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(1);

    private readonly Dictionary<long, int> _arrivals = [];
    private TimeSpan _busyUntil;
    private TaskCompletionSource _outage = new();

    public bool IsAway { get; private set; }

    /// <summary>Completes when the server goes away.</summary>
    public Task Outage => _outage.Task;

    /// <summary>Connections that were refused.</summary>
    public int Refused { get; private set; }

    /// <summary>Answers 429.</summary>
    public int Shed { get; private set; }

    public int Served { get; private set; }

    /// <summary>The most requests in one second, by the clock, that reached the server while it was there.</summary>
    public int Peak => _arrivals.Values.Max();

    public void Leave()
    {
        IsAway = true;
        _outage.SetResult();
        _outage = new TaskCompletionSource();
    }

    public void Return()
    {
        (IsAway, _busyUntil) = (false, time.Now);
        _arrivals.Clear();
    }

    /// <summary>Throws as the client does.</summary>
    public async Task AskAsync(bool isList)
    {
        await Task.Delay(RoundTrip, time);
        if (IsAway)
        {
            Refused++;
            throw ApiRequestException.Broken("connection refused");
        }

        var second = time.Now.Ticks / TimeSpan.TicksPerSecond;
        _arrivals[second] = _arrivals.GetValueOrDefault(second) + 1;
        var start = _busyUntil > time.Now ? _busyUntil : time.Now;
        if (start - time.Now > TimeSpan.FromSeconds(QueueSeconds))
        {
            Shed++;
            throw new ApiRequestException("429") { StatusCode = HttpStatusCode.TooManyRequests, RetryAfter = TimeSpan.FromSeconds(1) };
        }

        Served++;
        _busyUntil = start + TimeSpan.FromSeconds((isList ? ListCost : 1) / perSecond);
        await Task.Delay(_busyUntil - time.Now, time);
    }
}
