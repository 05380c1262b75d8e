using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;

namespace KubeProxy.Core.Manifests;

/// <summary>
/// Knows which file holds which object, and tells the sink. When several files hold one object the first by name counts;
/// only names are kept here, so a file that takes over has to be read again.
/// </summary>
internal sealed class ManifestStore(IProxySink sink)
{
    private readonly Dictionary<string, HashSet<ObjectKey>> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectKey, string[]> _claims = [];

    public bool Contains(string file) => _files.ContainsKey(file);

    /// <summary>Replaces what a file holds.</summary>
    /// <param name="file">The file.</param>
    /// <param name="objects">All of its objects.</param>
    /// <param name="problems">Receives objects that are elsewhere, too.</param>
    /// <param name="readAgain">Receives the files that gain or lose an object by it.</param>
    public void Apply(
        string file, IEnumerable<(KubernetesObject Object, string Place)> objects, List<ObjectProblem> problems, ISet<string> readAgain)
    {
        var before = _files.GetValueOrDefault(file) ?? [];
        var now = new HashSet<ObjectKey>();
        foreach (var (value, place) in objects)
        {
            var key = new ObjectKey(value.Kind, value.Name);
            if (!now.Add(key)) problems.Add(Duplicate(value, place, "an earlier document of the same file"));
            else if (Claim(key, file, readAgain) is { } other) problems.Add(Duplicate(value, place, other));
            else sink.Upsert(value);
        }

        foreach (var key in before)
        {
            if (!now.Contains(key)) Withdraw(key, file, readAgain);
        }

        _files[file] = now;
    }

    /// <summary>Removes a file; see <see cref="Apply"/>.</summary>
    public void Remove(string file, ISet<string> readAgain)
    {
        if (!_files.Remove(file, out var keys)) return;
        foreach (var key in keys) Withdraw(key, file, readAgain);
    }

    /// <summary>Returns the file that goes before, or null if the object is this file's.</summary>
    private string? Claim(ObjectKey key, string file, ISet<string> readAgain)
    {
        if (!_claims.TryGetValue(key, out var files))
        {
            _claims[key] = [file];
            return null;
        }

        var place = Array.BinarySearch(files, file, StringComparer.Ordinal);
        if (place < 0)
        {
            if (~place == 0) readAgain.Add(files[0]);
            _claims[key] = files = [.. files[..~place], file, .. files[~place..]];
        }

        return files[0] == file ? null : files[0];
    }

    private void Withdraw(ObjectKey key, string file, ISet<string> readAgain)
    {
        var files = _claims[key];
        if (files.Length == 1)
        {
            _claims.Remove(key);
            sink.Delete(key.Kind, key.Name);
            return;
        }

        _claims[key] = [.. files.Where(other => other != file)];
        readAgain.Add(_claims[key][0]);
    }

    private static ObjectProblem Duplicate(KubernetesObject value, string place, string winner) =>
        new(value.Kind.ToName(), value.Name, "", $"is also in {winner}, which comes first and counts", place);

    private readonly record struct ObjectKey(ObjectKind Kind, NamespacedName Name);
}
