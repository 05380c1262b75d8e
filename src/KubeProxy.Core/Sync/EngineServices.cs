using KubeProxy.Core.Health;
using KubeProxy.Core.History;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Core.Sync;

/// <summary>What the loops of an engine share.</summary>
internal sealed class EngineServices(
    TimeProvider time, ILogger logger, ProxyMetrics metrics, ProxyHealth health, ServiceHealthTable serviceHealth)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isReady;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    public ProxyMetrics Metrics => metrics;

    public ProxyHealth Health => health;

    public ServiceHealthTable ServiceHealth => serviceHealth;

    public ChangeLog Changes { get; } = new();

    public Random Random { get; init; } = Random.Shared;

    /// <summary>Whether enough is known to sync.</summary>
    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }

    /// <summary>Completes at the end of the next sync, whatever it brings.</summary>
    public Task NextProgress
    {
        get { lock (_gate) return _progress.Task; }
    }

    public void OnProgress()
    {
        TaskCompletionSource done;
        lock (_gate)
        {
            done = _progress;
            _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        done.SetResult();
    }
}
