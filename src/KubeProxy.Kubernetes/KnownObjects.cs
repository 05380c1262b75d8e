using KubeProxy.Core.Model;

namespace KubeProxy.Kubernetes;

/// <summary>
/// The names of all objects that were delivered, so that a list tells what is gone even when nobody saw it go. Not thread-safe.
/// </summary>
internal sealed class KnownObjects
{
    private readonly Dictionary<NamespacedName, int> _snapshotOf = [];
    private int _snapshot;

    public int Count => _snapshotOf.Count;

    /// <summary>A list begins: what is not seen again until its end is gone.</summary>
    public void BeginSnapshot() => _snapshot++;

    public void Add(NamespacedName name) => _snapshotOf[name] = _snapshot;

    /// <summary>
    /// Notes that an object exists although it was not delivered; what was delivered of it before stays in force.
    /// </summary>
    public void Keep(NamespacedName name)
    {
        if (_snapshotOf.ContainsKey(name)) _snapshotOf[name] = _snapshot;
    }

    public void Remove(NamespacedName name) => _snapshotOf.Remove(name);

    /// <summary>The list is complete. Returns the names of what is gone.</summary>
    public IReadOnlyList<NamespacedName> EndSnapshot()
    {
        List<NamespacedName> gone = [.. _snapshotOf.Where(entry => entry.Value != _snapshot).Select(entry => entry.Key)];
        foreach (var name in gone) _snapshotOf.Remove(name);
        return gone;
    }
}
