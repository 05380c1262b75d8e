using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Hands objects of one kind to the sink, and knows which are there. One that is malformed is reported with name and field; what
/// was known of it before stays in force, and so do all others. Not thread-safe.
/// </summary>
internal sealed class ObjectDelivery(ObjectKind kind, IProxySink sink, string origin)
{
    private readonly KnownObjects _known = new();
    private readonly HashSet<NamespacedName> _malformed = [];

    public int Count => _known.Count;

    public void BeginSnapshot() => _known.BeginSnapshot();

    /// <summary>All was delivered: what was not is gone.</summary>
    public void EndSnapshot()
    {
        foreach (var name in _known.EndSnapshot()) Forget(name);
        sink.MarkSynced(kind);
    }

    /// <summary>The object exists, and is so now. Returns its resource version, as far as it has one.</summary>
    public string? Upsert(EncodedObject encoded)
    {
        try
        {
            var value = encoded.Read(kind);
            var name = value.Name;
            _known.Add(name);
            sink.Upsert(value);
            if (_malformed.Count > 0 && _malformed.Remove(name)) sink.Report(PlaceOf(name), []);
            return value.Metadata.ResourceVersion;
        }
        catch (KubernetesObjectException e)
        {
            var head = encoded.ReadHead();
            var name = head.NameAs(kind);
            _known.Keep(name);
            _malformed.Add(name);
            sink.Report(PlaceOf(name),
                [new ObjectProblem(kind.ToName(), name, e.Field, e.Reason + "; this version of the object is ignored", origin)]);
            return head.ResourceVersion;
        }
    }

    /// <summary>The object is gone. Returns the resource version of that, as far as there is one.</summary>
    public string? Delete(EncodedObject encoded)
    {
        var head = encoded.ReadHead();
        var name = head.NameAs(kind);
        _known.Remove(name);
        Forget(name);
        return head.ResourceVersion;
    }

    private void Forget(NamespacedName name)
    {
        sink.Delete(kind, name);
        if (_malformed.Remove(name)) sink.Report(PlaceOf(name), []);
    }

    private string PlaceOf(NamespacedName name) => $"{origin} {kind.ToName()} {name}";
}
