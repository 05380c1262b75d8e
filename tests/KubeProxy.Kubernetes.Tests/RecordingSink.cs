using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Holds what a source delivers, and lets a test wait until it is so and so.</summary>
internal sealed class RecordingSink : IProxySink
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<(ObjectKind Kind, NamespacedName Name), KubernetesObject> _objects = [];
    private readonly HashSet<ObjectKind> _synced = [];
    private readonly Dictionary<string, IReadOnlyList<ObjectProblem>> _problems = [];
    private readonly List<(Func<bool> Condition, TaskCompletionSource Source)> _waiters = [];

    public int Upserts { get; private set; }

    /// <summary>The names and versions of a kind.</summary>
    public Dictionary<string, long> Versions(ObjectKind kind)
    {
        lock (_gate)
        {
            return _objects.Where(entry => entry.Key.Kind == kind).ToDictionary(
                entry => entry.Key.Name.ToString(),
                entry => long.Parse(entry.Value.Metadata.ResourceVersion!, System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    public KubernetesObject? Find(ObjectKind kind, string name)
    {
        lock (_gate) return _objects.FirstOrDefault(entry => entry.Key.Kind == kind && entry.Key.Name.Name == name).Value;
    }

    public bool Has(ObjectKind kind, string name) => Find(kind, name) is not null;

    public int Count(ObjectKind kind)
    {
        lock (_gate) return _objects.Keys.Count(key => key.Kind == kind);
    }

    public IReadOnlyList<ObjectProblem> Problems
    {
        get { lock (_gate) return [.. _problems.Values.SelectMany(list => list)]; }
    }

    public bool IsSynced(ObjectKind kind)
    {
        lock (_gate) return _synced.Contains(kind);
    }

    public Task AllSyncedAsync() => WaitAsync(() => _synced.Count == ObjectKinds.All.Count, "all kinds are synced");

    /// <summary>Waits until the condition holds after some change.</summary>
    public Task WaitAsync(Func<bool> condition, string what) => WaitAsync(condition, () => what);

    /// <summary>Waits until the condition holds after some change; what never came to pass is only asked when it did not.</summary>
    public async Task WaitAsync(Func<bool> condition, Func<string> what)
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (condition()) return;
            _waiters.Add((condition, source));
        }

        try
        {
            await source.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"It never came to pass that {what()}. Problems: {string.Join("; ", Problems)}");
        }
    }

    public void Upsert(KubernetesObject value) => Change(() =>
    {
        Upserts++;
        _objects[(value.Kind, value.Name)] = value;
    });

    public void Delete(ObjectKind kind, NamespacedName name) => Change(() => _objects.Remove((kind, name)));

    public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values) => throw new NotSupportedException();

    public void MarkSynced(ObjectKind kind) => Change(() => _synced.Add(kind));

    public void Report(string place, IReadOnlyList<ObjectProblem> problems) => Change(() =>
    {
        if (problems.Count == 0) _problems.Remove(place);
        else _problems[place] = problems;
    });

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            foreach (var waiter in _waiters.FindAll(waiter => waiter.Condition()))
            {
                _waiters.Remove(waiter);
                waiter.Source.SetResult();
            }
        }
    }
}
