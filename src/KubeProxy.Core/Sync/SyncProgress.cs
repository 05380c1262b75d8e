using KubeProxy.Core.Model;

namespace KubeProxy.Core.Sync;

/// <summary>How far one family got. Written by its loop, read by anybody.</summary>
internal sealed class SyncProgress
{
    private static readonly TimeSpan RepairMemory = TimeSpan.FromMinutes(2);

    // More than a status tells apart.
    private const int MostRepairs = 1_000;

    private readonly Lock _gate = new();
    private readonly Queue<DateTimeOffset> _repairs = [];
    private readonly List<DateTimeOffset> _triggerTimes = [];
    private SyncResult? _result;
    private DateTimeOffset? _lastSync;
    private string? _error;
    private string? _doubt;
    private long _syncs;
    private long _failed;
    private long _repaired;
    private long _version = -1;
    private bool _isCurrent;

    public long Syncs
    {
        get { lock (_gate) return _syncs; }
    }

    /// <summary>The version of the state that is in force; -1 before the first sync.</summary>
    public long Version
    {
        get { lock (_gate) return _version; }
    }

    /// <summary>Remembers the trigger times of a batch until a sync succeeds.</summary>
    public void Carry(PlanBatch batch)
    {
        lock (_gate)
        {
            if (_triggerTimes.Count + batch.TriggerTimes.Count <= 10_000) _triggerTimes.AddRange(batch.TriggerTimes);
        }
    }

    /// <summary>The trigger times of everything that is in force now and was not before.</summary>
    public IReadOnlyList<DateTimeOffset> TakeTriggerTimes(PlanBatch batch, SyncResult? result)
    {
        if (result is null) return batch.TriggerTimes;
        lock (_gate)
        {
            DateTimeOffset[] times = [.. _triggerTimes];
            _triggerTimes.Clear();
            return times;
        }
    }

    public bool IsNewlyQuarantined(QuarantinedOwner owner)
    {
        lock (_gate) return _result?.Quarantined.Contains(owner) != true;
    }

    /// <summary>The kernel may no longer hold what was asked for, and why.</summary>
    public void Doubt(string reason)
    {
        lock (_gate) (_isCurrent, _doubt) = (false, reason);
    }

    /// <summary>A sync succeeded; without a result there was nothing to do.</summary>
    /// <param name="now">The time.</param>
    /// <param name="version">What is in force now.</param>
    /// <param name="result">What the backend did.</param>
    /// <param name="isCurrent">Whether nothing has been heard meanwhile that puts it in doubt again.</param>
    public void Succeed(DateTimeOffset now, long version, SyncResult? result, bool isCurrent)
    {
        lock (_gate)
        {
            var isPending = result?.Pending > 0;
            if (!isPending) _version = version;
            _lastSync = now;
            _error = null;
            _isCurrent = isCurrent && !isPending;
            if (result is null) return;
            _syncs++;
            _result = result;
            _repaired += result.Repaired;
            if (result.Repaired == 0) return;
            if (_repairs.Count == MostRepairs) _repairs.Dequeue();
            _repairs.Enqueue(now);
        }
    }

    public void Fail(string error)
    {
        lock (_gate)
        {
            _failed++;
            _isCurrent = false;
            _error = error;
        }
    }

    public FamilyStatus Snapshot(IpFamily family, int servicePorts, DateTimeOffset now)
    {
        lock (_gate)
        {
            while (_repairs.TryPeek(out var oldest) && now - oldest > RepairMemory) _repairs.Dequeue();
            return new FamilyStatus
            {
                Family = family,
                ServicePorts = servicePorts,
                Syncs = _syncs,
                FailedSyncs = _failed,
                LastSync = _lastSync,
                LastResult = _result,
                LastError = _error,
                IsCurrent = _isCurrent,
                Pending = _result?.Pending ?? 0,
                Repaired = _repaired,
                RecentRepairs = _repairs.Count,
                LastDoubt = _doubt,
                Quarantined = _result?.Quarantined ?? [],
            };
        }
    }
}
