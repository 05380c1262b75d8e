using System.Diagnostics.Metrics;

namespace KubeProxy.Host.Metrics;

/// <summary>Counts scrapes, as every Prometheus client does.</summary>
internal sealed class ScrapeInstruments : IDisposable
{
    private readonly Meter _meter = new("KubeProxy.Scrapes");
    private readonly Counter<long> _total;
    private readonly UpDownCounter<int> _running;

    public ScrapeInstruments()
    {
        _total = _meter.CreateCounter<long>("promhttp_metric_handler_requests_total", null, "Scrapes by HTTP status code.");
        _running = _meter.CreateUpDownCounter<int>("promhttp_metric_handler_requests_in_flight", null, "Scrapes being served.");
    }

    /// <summary>Runs one.</summary>
    public async Task<T> CountAsync<T>(Func<Task<T>> scrape)
    {
        _running.Add(1);
        try
        {
            var result = await scrape();
            _total.Add(1, new KeyValuePair<string, object?>("code", "200"));
            return result;
        }
        catch
        {
            _total.Add(1, new KeyValuePair<string, object?>("code", "500"));
            throw;
        }
        finally
        {
            _running.Add(-1);
        }
    }

    public void Dispose() => _meter.Dispose();
}
