using System.Threading.Channels;

namespace KubeProxy.Core.Manifests;

/// <summary>
/// Tells which files of a directory changed (inotify). A change of the directory itself, and losing events, ends it:
/// then everything has to be looked at again.
/// </summary>
internal sealed class DirectoryWatch : IDisposable
{
    private readonly Channel<string> _names = Channel.CreateUnbounded<string>();
    private readonly FileSystemWatcher _files;
    private readonly FileSystemWatcher? _parent;

    /// <summary>Begins to watch.</summary>
    /// <exception cref="IOException">The system's limit of watches is reached.</exception>
    /// <exception cref="ArgumentException">There is no such directory.</exception>
    public DirectoryWatch(string directory)
    {
        _files = new FileSystemWatcher(directory)
        {
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.Attributes,
        };
        _files.Created += (_, e) => OnChange(e.Name);
        _files.Changed += (_, e) => OnChange(e.Name);
        _files.Deleted += (_, e) => OnChange(e.Name);
        _files.Renamed += (_, e) =>
        {
            OnChange(e.OldName);
            OnChange(e.Name);
        };
        _files.Error += (_, _) => End();
        _files.EnableRaisingEvents = true;
        _parent = WatchParent(directory);
    }

    /// <summary>The names of changed files; completes when everything has to be looked at again.</summary>
    public ChannelReader<string> Names => _names.Reader;

    /// <inheritdoc/>
    public void Dispose()
    {
        _files.Dispose();
        _parent?.Dispose();
        End();
    }

    /// <summary>A directory that is renamed or replaced tells nothing itself; its parent does.</summary>
    private FileSystemWatcher? WatchParent(string directory)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (Path.GetDirectoryName(path) is not { } parent) return null;
        try
        {
            var watcher = new FileSystemWatcher(parent, Path.GetFileName(path)) { NotifyFilter = NotifyFilters.DirectoryName | NotifyFilters.FileName };
            watcher.Created += (_, _) => End();
            watcher.Deleted += (_, _) => End();
            watcher.Renamed += (_, _) => End();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // Then a replaced directory goes unnoticed; its files do not.
        }
    }

    /// <summary>
    /// Names with a dot are no manifests, but one with two is how a mounted ConfigMap or Secret changes all files at once.
    /// </summary>
    private void OnChange(string? name)
    {
        if (string.IsNullOrEmpty(name)) return;
        if (name.StartsWith("..", StringComparison.Ordinal)) End();
        else if (name[0] != '.') _names.Writer.TryWrite(name);
    }

    private void End() => _names.Writer.TryComplete();
}
