using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Sources;

/// <summary>
/// Objects that the program itself sets: for embedding and for tests. Thread-safe. Kinds count as synced from the start
/// unless the source was made with <c>synced: false</c>.
/// </summary>
public sealed class InMemoryProxySource : IProxySource
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(ObjectKind Kind, NamespacedName Name), KubernetesObject> _objects = [];
    private readonly HashSet<ObjectKind> _synced = [];
    private readonly List<IProxySink> _sinks = [];

    /// <summary>Makes a source.</summary>
    /// <param name="synced">Whether all kinds are complete without <see cref="MarkSynced"/>.</param>
    public InMemoryProxySource(bool synced = true)
    {
        if (synced) _synced.UnionWith(ObjectKinds.All);
    }

    /// <summary>Adds or replaces objects.</summary>
    public void Set(params IEnumerable<KubernetesObject> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        lock (_gate)
        {
            foreach (var value in values)
            {
                _objects[(value.Kind, value.Name)] = value;
                foreach (var sink in _sinks) sink.Upsert(value);
            }
        }
    }

    /// <summary>Removes an object, if it is there.</summary>
    public void Remove(ObjectKind kind, NamespacedName name)
    {
        lock (_gate)
        {
            if (!_objects.Remove((kind, name))) return;
            foreach (var sink in _sinks) sink.Delete(kind, name);
        }
    }

    /// <summary>Says that all objects of the kind are there.</summary>
    public void MarkSynced(ObjectKind kind)
    {
        lock (_gate)
        {
            if (!_synced.Add(kind)) return;
            foreach (var sink in _sinks) sink.MarkSynced(kind);
        }
    }

    /// <inheritdoc/>
    public async Task RunAsync(IProxySink sink, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sink);
        lock (_gate)
        {
            foreach (var value in _objects.Values) sink.Upsert(value);
            foreach (var kind in _synced) sink.MarkSynced(kind);
            _sinks.Add(sink);
        }

        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            lock (_gate) _sinks.Remove(sink);
        }
    }
}
