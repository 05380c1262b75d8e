namespace KubeProxy.Core.History;

/// <summary>The last changes. Bounded, thread-safe.</summary>
internal sealed class ChangeLog
{
    /// <summary>How many are kept.</summary>
    public const int Capacity = 1000;

    private readonly Lock _gate = new();
    private readonly Queue<ChangeRecord> _records = [];
    private long _count;

    /// <summary>Keeps one.</summary>
    public void Add(ChangeRecord record)
    {
        lock (_gate)
        {
            if (_records.Count == Capacity) _records.Dequeue();
            _records.Enqueue(record with { Number = ++_count });
        }
    }

    /// <summary>The newest, newest first.</summary>
    public IReadOnlyList<ChangeRecord> Newest(int most)
    {
        lock (_gate) return [.. _records.Reverse().Take(most)];
    }
}
