using System.Collections.Immutable;

namespace KubeProxy.TestKit.Api;

/// <summary>The objects of one resource, all their versions that a watch can still begin at, and who waits for the next one.</summary>
internal sealed class FakeResource(string kind, string apiVersion)
{
    private readonly List<FakeEvent> _events = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Kind => kind;

    public string ApiVersion => apiVersion;

    public bool IsMissing { get; set; }

    public ImmutableSortedDictionary<string, StoredObject> Objects { get; private set; } =
        ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal);

    /// <summary>Watches can begin at this version or later ones.</summary>
    public long Oldest { get; private set; }

    /// <summary>A watch that has not come so far missed something.</summary>
    public long LastForgotten { get; private set; }

    /// <summary>Grows with each change or signal.</summary>
    public Task Changed => _changed.Task;

    public int BookmarkSignals { get; private set; }

    public int EndSignals { get; private set; }

    public void Add(FakeEvent change)
    {
        Objects = change.After is { } after ? Objects.SetItem(after.Key, after) : Objects.Remove(change.Before!.Key);
        _events.Add(change);
        Signal();
    }

    /// <summary>Fills it at once, as if all had been there from the start.</summary>
    public void Fill(IEnumerable<StoredObject> objects, long version)
    {
        Objects = Objects.SetItems(objects.Select(value => KeyValuePair.Create(value.Key, value)));
        _events.Clear();
        Oldest = version;
        Signal();
    }

    /// <summary>As after the restore of a backup: nothing is known of what was.</summary>
    public void ForgetHistory()
    {
        _events.Clear();
        (Oldest, LastForgotten) = (0, 0);
    }

    public void Compact(long version)
    {
        if (_events.FindLast(change => change.Version <= version) is { } last) LastForgotten = last.Version;
        _events.RemoveAll(change => change.Version <= version);
        Oldest = version;
    }

    public void SignalBookmark()
    {
        BookmarkSignals++;
        Signal();
    }

    public void SignalEnd()
    {
        EndSignals++;
        Signal();
    }

    /// <summary>The events after a version, oldest first.</summary>
    public IReadOnlyList<FakeEvent> After(long version)
    {
        var from = _events.Count;
        while (from > 0 && _events[from - 1].Version > version) from--;
        return _events.GetRange(from, _events.Count - from);
    }

    private void Signal()
    {
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A change: one of both is null when the object came or went.</summary>
internal sealed record FakeEvent(long Version, StoredObject? Before, StoredObject? After)
{
    /// <summary>What a watch with a selector sees of it; null for nothing.</summary>
    public (string Type, StoredObject Object)? SeenThrough(Selector selector) => (selector.Matches(Before), selector.Matches(After)) switch
    {
        (false, true) => ("ADDED", After!),
        (true, true) => ("MODIFIED", After!),
        (true, false) => ("DELETED", Gone()),
        _ => null,
    };

    /// <summary>A deletion carries the last state under the version of the deletion.</summary>
    private StoredObject Gone() => After ?? Before!.AtVersion(Version);
}
