using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Ipvs.Backend;

// What goes on between syncs: connections end, and others change what is ours.
public sealed partial class IpvsBalancer
{
    private static readonly TimeSpan ShortestDrain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(30);

    // IPVS tells nobody about changes, so they have to be looked for.
    private async Task PollAsync(Action<string> requestSync)
    {
        using var timer = new PeriodicTimer(_options.PollPeriod, _parts.Time);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            try
            {
                if (await PollOnceAsync()) requestSync("virtual services were changed by somebody else");
            }
            catch (NetlinkException e)
            {
                LogWatching(_logger, _options.Family, e.Message);
            }
        }
    }

    private async Task<bool> PollOnceAsync()
    {
        // A sync need not wait for this; but what was read before one wrote tells nothing.
        var version = _servers.Version;
        var found = await _reader.ReadAsync(_stop.Token);
        using var turn = await Turn.EnterAsync(_turn, _stop.Token);
        if (version != _servers.Version || !_known) return false;
        var wrong = _servers.Adopt(found);
        _repaired += wrong;
        return wrong > 0;
    }

    // Waits for connections to end, at first often, because most are short. Sleeps when there are none to wait for.
    private async Task DrainAsync()
    {
        while (true)
        {
            await _draining.WaitAsync(_stop.Token);
            for (var pause = ShortestDrain; _servers.Draining.Count > 0; pause = pause * 2 < LongestDrain ? pause * 2 : LongestDrain)
            {
                await Task.Delay(pause, _parts.Time, _stop.Token);
                try
                {
                    using var turn = await Turn.EnterAsync(_turn, _stop.Token);
                    await _servers.DrainAsync(_servers.Draining, _stop.Token);
                }
                catch (NetlinkException e)
                {
                    LogWatching(_logger, _options.Family, e.Message);
                }
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "ipvs ({Family}): {Error}")]
    private static partial void LogWatching(ILogger logger, Core.Model.IpFamily family, string error);

    private readonly struct Turn(SemaphoreSlim semaphore) : IDisposable
    {
        public static async Task<Turn> EnterAsync(SemaphoreSlim semaphore, CancellationToken cancellationToken)
        {
            await semaphore.WaitAsync(cancellationToken);
            return new Turn(semaphore);
        }

        public void Dispose() => semaphore.Release();
    }
}
