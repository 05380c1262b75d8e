using System.Threading.Channels;
using KubeProxy.Core.Health;
using KubeProxy.Core.History;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Core.Sync;

/// <summary>The loop of one family: waits until a sync is due, plans what changed, gives it to the backend.</summary>
internal sealed partial class FamilySync
{
    private readonly FamilyPlanner _planner;
    private readonly ClusterState _state;
    private readonly IProxyBackend _backend;
    private readonly EngineServices _services;
    private readonly SyncPacer _pacer;
    private readonly long _epoch;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly KeyValuePair<string, object?> _tag;
    private readonly SyncProgress _progress = new();
    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _requested;
    private volatile bool _backendRequested;
    private volatile bool _repairRequested;
    private bool _verify;
    private bool _isPending;

    public FamilySync(FamilyPlanner planner, ClusterState state, IProxyBackend backend, ProxyOptions options, EngineServices services)
    {
        (_planner, _state, _backend, _services) = (planner, state, backend, services);
        _pacer = new SyncPacer(options.MinSyncPeriod, options.SyncPeriod, options.VerifyPeriod, services.Random.NextDouble);
        _epoch = services.Time.GetTimestamp();
        _tag = ProxyMetrics.Tag(planner.Family);
        planner.Marked = Request;
    }

    /// <summary>Is completed once the first sync was tried, or will not be.</summary>
    public Task FirstAttempt => _firstAttempt.Task;

    /// <summary>How far it got.</summary>
    public SyncProgress Progress => _progress;

    /// <summary>Other periods from now on. From any thread.</summary>
    public void Change(TimeSpan minSyncPeriod, TimeSpan syncPeriod)
    {
        _pacer.Change(minSyncPeriod, syncPeriod);
        _wake.Writer.TryWrite(true);
    }

    private TimeSpan Now => _services.Time.GetElapsedTime(_epoch);

    /// <summary>Runs until cancelled.</summary>
    /// <param name="ready">All objects were delivered once.</param>
    /// <param name="before">
    /// What the first sync waits for: the first attempt of the family before, so that a ruleset that is written from scratch is listed in the same order
    /// always. The kernel takes one after the other anyway.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(Task ready, Task before, CancellationToken cancellationToken)
    {
        try
        {
            await RunLoopAsync(ready, before, cancellationToken);
        }
        finally
        {
            _firstAttempt.TrySetResult();
        }
    }

    private async Task RunLoopAsync(Task ready, Task before, CancellationToken cancellationToken)
    {
        // The backend reads what is in the kernel, which can take as long as planning all that there is: neither needs the other.
        var starting = Task.Run(() => StartBackendAsync(cancellationToken), cancellationToken);
        await Task.WhenAny(starting, ready.WaitAsync(cancellationToken));
        if (!starting.IsCompleted) _state.PlanAhead(_planner);
        await starting;
        await ready.WaitAsync(cancellationToken);
        await before.WaitAsync(cancellationToken);
        Request();
        using var timer = _services.Time.CreateTimer(
            _ => _wake.Writer.TryWrite(true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        while (true)
        {
            await WaitUntilDueAsync(timer, cancellationToken);
            await SyncAsync(cancellationToken);
            _firstAttempt.TrySetResult();
        }
    }

    private async Task StartBackendAsync(CancellationToken cancellationToken)
    {
        await _backend.StartAsync(OnBackendRequest, cancellationToken);
        _services.Health.Start(_planner.Family);
    }

    /// <summary>Says that something is marked. From any thread.</summary>
    private void Request()
    {
        if (_services.IsReady)
        {
            _services.Health.Queue(_planner.Family);
            _services.Metrics.LastQueued.Record(UnixSeconds(_services.Time.GetUtcNow()), _tag);
        }

        _requested = true;
        _wake.Writer.TryWrite(true);
    }

    private void OnBackendRequest(string reason)
    {
        LogBackendRequest(_services.Logger, _planner.Family, reason);
        _backendRequested = true;
        _repairRequested = true;
        _progress.Doubt(reason);
        Request();
    }

    private async Task WaitUntilDueAsync(ITimer timer, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_requested)
            {
                _requested = false;
                _pacer.Request();
            }

            if (_repairRequested)
            {
                _repairRequested = false;
                _pacer.RequestRepair(Now);
            }

            var delay = _pacer.Due() - Now;
            if (delay <= TimeSpan.Zero) return;
            timer.Change(delay, Timeout.InfiniteTimeSpan);
            await _wake.Reader.ReadAsync(cancellationToken);
        }
    }

    private async Task SyncAsync(CancellationToken cancellationToken)
    {
        var retry = _pacer.Failures > 0 || _progress.Syncs == 0;
        _verify |= _pacer.Start(Now);
        var byBackend = _backendRequested;
        _backendRequested = false;
        var queuedSince = _services.Health.Begin(_planner.Family);
        var started = _services.Time.GetTimestamp();
        if (queuedSince is { } since) _services.Metrics.QueueDuration.Record((_services.Time.GetUtcNow() - since).TotalSeconds, _tag);

        var batch = _state.Take(_planner);
        _services.Metrics.PlanDuration.Record(_services.Time.GetElapsedTime(started).TotalSeconds, _tag);
        if (batch.IsEmpty && !retry && !_verify && !byBackend && !_isPending)
        {
            Succeed(batch, null);
            _pacer.End(Now, success: true);
            return;
        }

        LogPlans(batch.Changes);
        var success = await CommitAsync(batch, queuedSince, started, cancellationToken);
        _pacer.End(Now, success);
        if (success && _isPending) _pacer.Continue();
    }

    /// <summary>
    /// Whatever the backend throws must not end the loop: the next try may work, and the kernel keeps what it has.
    /// </summary>
    private async Task<bool> CommitAsync(PlanBatch batch, DateTimeOffset? queued, long begun, CancellationToken cancellationToken)
    {
        _progress.Carry(batch);
        var isFull = _verify || _progress.Syncs == 0;
        try
        {
            var started = _services.Time.GetTimestamp();
            var result = await _backend.SyncAsync(batch.Changes with { Verify = _verify }, cancellationToken);
            _verify = false;
            _isPending = result.Pending > 0;
            if (batch.HasFlows)
            {
                // What a backend does besides compiling and committing is to clean up after services of UDP and SCTP.
                var flows = _services.Time.GetElapsedTime(started) - result.CompileTime - result.CommitTime;
                _services.Metrics.FlowDuration.Record(Math.Max(0, flows.TotalSeconds), _tag);
            }

            Measure(begun, isFull);
            Succeed(batch, result);
            if (!batch.IsEmpty || result.Operations > 0) Keep(batch, queued, begun, result, null);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // See above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Measure(begun, isFull);
            _services.Metrics.Failures.Add(1, _tag);
            LogFailure(_services.Logger, _planner.Family, e.Message, e is ProxyBackendException ? null : e);
            _services.Health.Fail(_planner.Family, e.Message);
            _progress.Fail(e.Message);
            Keep(batch, queued, begun, null, e.Message);
            _services.OnProgress();
            return false;
        }
    }

    private void Keep(PlanBatch batch, DateTimeOffset? queued, long begun, SyncResult? result, string? error) => _services.Changes.Add(new ChangeRecord
    {
        Family = _planner.Family, Queued = queued, Time = _services.Time.GetUtcNow(), Duration = _services.Time.GetElapsedTime(begun), Causes = batch.Causes,
        CauseCount = batch.CauseCount, Updated = batch.Changes.Updated.Count, Removed = batch.Changes.Removed.Count, Operations = result?.Operations ?? 0,
        Repaired = result?.Repaired ?? 0, DeletedFlows = result?.DeletedFlows ?? 0, Error = error,
    });

    private void Measure(long begun, bool isFull)
    {
        var duration = _services.Time.GetElapsedTime(begun).TotalSeconds;
        _services.Metrics.SyncDuration.Record(duration, _tag);
        (isFull ? _services.Metrics.FullSyncDuration : _services.Metrics.PartialSyncDuration).Record(duration, _tag);
    }

    private void Succeed(PlanBatch batch, SyncResult? result)
    {
        var now = _services.Time.GetUtcNow();
        var metrics = _services.Metrics;
        foreach (var time in _progress.TakeTriggerTimes(batch, result))
            metrics.ProgrammingDuration.Record(Math.Max(0, (now - time).TotalSeconds), _tag);
        _services.Health.Succeed(_planner.Family);
        _services.ServiceHealth.Replace(_planner.Family, batch.Health);
        metrics.LastSync.Record(UnixSeconds(now), _tag);
        metrics.NoLocalEndpoints.Record(_planner.InternalWithoutLocal, _tag, ProxyMetrics.TrafficPolicy("internal"));
        metrics.NoLocalEndpoints.Record(_planner.ExternalWithoutLocal, _tag, ProxyMetrics.TrafficPolicy("external"));
        if (result is not null) Record(result);
        _progress.Succeed(now, batch.Version, result, isCurrent: !_backendRequested);
        _services.OnProgress();
    }

    private void Record(SyncResult result)
    {
        var metrics = _services.Metrics;
        metrics.CommitDuration.Record(result.CommitTime.TotalSeconds, _tag);
        metrics.Operations.Add(result.Operations, _tag);
        metrics.DeletedFlows.Add(result.DeletedFlows, _tag);
        metrics.Quarantined.Record(result.Quarantined.Count, _tag);
        LogSync(_services.Logger, _planner.Family, result.Operations, result.CompileTime.TotalMilliseconds, result.CommitTime.TotalMilliseconds);
        if (result.Repaired > 0)
        {
            metrics.Repairs.Add(result.Repaired, _tag);
            LogRepair(_services.Logger, _planner.Family, result.Repaired);
        }

        foreach (var owner in result.Quarantined)
        {
            if (_progress.IsNewlyQuarantined(owner)) LogQuarantine(_services.Logger, _planner.Family, owner.Owner.ToString(), owner.Reason);
        }
    }

    private void LogPlans(PlanChanges changes)
    {
        if (!_services.Logger.IsEnabled(LogLevel.Trace)) return;
        foreach (var plan in changes.Updated)
            LogPlan(_services.Logger, _planner.Family, plan.Name, plan.Frontends.Length, plan.ClusterEndpoints.Length, plan.LocalEndpoints.Length);
        foreach (var name in changes.Removed) LogRemoval(_services.Logger, _planner.Family, name);
    }

    private static double UnixSeconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    [LoggerMessage(EventId = 200, Level = LogLevel.Debug,
        Message = "{Family}: synced, {Operations} operations, compile {CompileMs} ms, commit {CommitMs} ms")]
    private static partial void LogSync(ILogger logger, Model.IpFamily family, int operations, double compileMs, double commitMs);

    [LoggerMessage(EventId = 201, Level = LogLevel.Error,
        Message = "{Family}: sync failed, will be retried: {Error}")]
    private static partial void LogFailure(ILogger logger, Model.IpFamily family, string error, Exception? exception);

    [LoggerMessage(EventId = 202, Level = LogLevel.Warning,
        Message = "{Family}: {Repaired} kernel objects had been changed by somebody else and were repaired")]
    private static partial void LogRepair(ILogger logger, Model.IpFamily family, int repaired);

    [LoggerMessage(EventId = 203, Level = LogLevel.Error,
        Message = "{Family}: {Owner} is refused, all else is in force: {Reason}")]
    private static partial void LogQuarantine(ILogger logger, Model.IpFamily family, string owner, string reason);

    [LoggerMessage(EventId = 204, Level = LogLevel.Debug, Message = "{Family}: sync requested: {Reason}")]
    private static partial void LogBackendRequest(ILogger logger, Model.IpFamily family, string reason);

    [LoggerMessage(EventId = 205, Level = LogLevel.Trace,
        Message = "{Family}: {ServicePort} has {Frontends} frontends, {Endpoints} endpoints, {LocalEndpoints} local ones for policy Local")]
    private static partial void LogPlan(
        ILogger logger, Model.IpFamily family, Model.ServicePortName servicePort, int frontends, int endpoints, int localEndpoints);

    [LoggerMessage(EventId = 206, Level = LogLevel.Trace, Message = "{Family}: {ServicePort} is gone")]
    private static partial void LogRemoval(ILogger logger, Model.IpFamily family, Model.ServicePortName servicePort);
}
