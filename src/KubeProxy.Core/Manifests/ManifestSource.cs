using System.Security.Cryptography;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Core.Manifests;

/// <summary>
/// Objects from the files of a directory, which is watched. Files whose names begin with a dot, or are of no known format,
/// are ignored; subdirectories too. Of a file that cannot be read, the last good content stays in force; a file that is
/// removed takes its objects with it; an object in several files is that of the first file by name.
/// </summary>
/// <remarks>
/// Replace a file by writing another and renaming it over: what is written in place is read when it has been left alone for
/// some milliseconds, which may be halfway.
/// </remarks>
public sealed partial class ManifestSource : IProxySource
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(8);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private const int MaxQuietRounds = 4;
    private const int MaxLength = 512 << 20;

    private readonly string _directory;
    private readonly ManifestParser _parser;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Makes a source.</summary>
    /// <param name="directory">The directory. It need not be there yet.</param>
    /// <param name="formats">Formats besides JSON.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public ManifestSource(
        string directory, IEnumerable<IManifestFormat>? formats = null, TimeProvider? time = null, ILogger<ManifestSource>? logger = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        _directory = directory;
        _parser = new ManifestParser([.. formats ?? [], new JsonManifestFormat()]);
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<ManifestSource>.Instance;
    }

    /// <inheritdoc/>
    public async Task RunAsync(IProxySink sink, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sink);
        var run = new Run(this, sink);
        var synced = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var watch = TryWatch(sink);
            if (run.Scan() && !synced)
            {
                synced = true;
                foreach (var kind in ObjectKinds.All) sink.MarkSynced(kind);
                LogSynced(_logger, _directory);
            }

            if (watch is null) await Task.Delay(Poll, _time, cancellationToken);
            else await FollowAsync(watch, run, cancellationToken);
        }
    }

    /// <summary>Null when the directory cannot be watched; then it is polled.</summary>
    private DirectoryWatch? TryWatch(IProxySink sink)
    {
        if (!Directory.Exists(_directory)) return null; // The scan says so.
        try
        {
            var watch = new DirectoryWatch(_directory);
            sink.Report($"watch {_directory}", []);
            return watch;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            var message = $"cannot be watched, so it is read every {Poll.TotalSeconds:0} s: {e.Message}";
            sink.Report($"watch {_directory}", [Problem(_directory, message)]);
            return null;
        }
    }

    private async Task FollowAsync(DirectoryWatch watch, Run run, CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (await watch.Names.WaitToReadAsync(cancellationToken))
        {
            names.Clear();
            for (var round = 0; round < MaxQuietRounds && Drain(watch, names); round++) await Task.Delay(Quiet, _time, cancellationToken);
            foreach (var name in names.Order(StringComparer.Ordinal)) run.Read(name);
        }
    }

    private static bool Drain(DirectoryWatch watch, HashSet<string> names)
    {
        var any = false;
        while (watch.Names.TryRead(out var name))
        {
            names.Add(name);
            any = true;
        }

        return any;
    }

    private static ObjectProblem Problem(string place, string message) => new("", new NamespacedName("", ""), "", message, place);

    [LoggerMessage(EventId = 300, Level = LogLevel.Information, Message = "Manifests of {Directory} read")]
    private static partial void LogSynced(ILogger logger, string directory);

    [LoggerMessage(EventId = 301, Level = LogLevel.Debug, Message = "{File} is of no known format; ignored")]
    private static partial void LogIgnored(ILogger logger, string file);

    [LoggerMessage(EventId = 302, Level = LogLevel.Debug, Message = "{File} read: {Objects} objects, {Problems} problems")]
    private static partial void LogRead(ILogger logger, string file, int objects, int problems);

    /// <summary>What one run of the source knows of the files.</summary>
    private sealed class Run(ManifestSource source, IProxySink sink)
    {
        private readonly ManifestStore _store = new(sink);
        private readonly Dictionary<string, byte[]?> _hashes = new(StringComparer.Ordinal);
        private readonly HashSet<string> _whole = new(StringComparer.Ordinal); // Files without an error in what is in force of them.

        /// <summary>
        /// Looks at every file. Returns whether the directory could be listed; if not, everything stays in force.
        /// </summary>
        public bool Scan()
        {
            HashSet<string> names;
            try
            {
                var files = Directory.EnumerateFiles(source._directory).Select(path => Path.GetFileName(path));
                names = [.. files.Where(name => name[0] != '.')];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                var message = $"the manifest directory cannot be read; what was read before stays in force: {e.Message}";
                sink.Report(source._directory, [Problem(source._directory, message)]);
                return false;
            }

            sink.Report(source._directory, []);
            foreach (var gone in _hashes.Keys.Where(name => !names.Contains(name)).ToList()) Forget(gone);
            foreach (var name in names.Order(StringComparer.Ordinal)) Read(name);
            return true;
        }

        public void Read(string name)
        {
            var readAgain = new SortedSet<string>(StringComparer.Ordinal);
            Read(name, force: false, readAgain);
            ReadAgain(readAgain);
        }

        private void Forget(string name)
        {
            var readAgain = new SortedSet<string>(StringComparer.Ordinal);
            Forget(name, readAgain);
            ReadAgain(readAgain);
        }

        /// <summary>Reading a file again claims nothing new unless it changed meanwhile, so this ends.</summary>
        private void ReadAgain(SortedSet<string> names)
        {
            var done = new HashSet<string>(StringComparer.Ordinal);
            while (names.Min is { } name)
            {
                names.Remove(name);
                if (done.Add(name)) Read(name, force: true, names);
            }
        }

        private void Forget(string name, ISet<string> readAgain)
        {
            if (!_hashes.Remove(name)) return;
            _whole.Remove(name);
            sink.Report(name, []);
            _store.Remove(name, readAgain);
        }

        private void Read(string name, bool force, ISet<string> readAgain)
        {
            if (!source._parser.CanRead(name))
            {
                LogIgnored(source._logger, name);
                return;
            }

            if (!TryReadBytes(name, readAgain, out var content)) return;
            var hash = SHA256.HashData(content);
            if (!force && _hashes.TryGetValue(name, out var before) && before.AsSpan().SequenceEqual(hash)) return;
            _hashes[name] = hash;
            var parsed = source._parser.Parse(name, content);
            var keep = parsed.Errors.Count > 0 && _whole.Contains(name);
            var consequence = keep ? "; the last good content of the file stays in force"
                : parsed.Objects.Count > 0 ? "; the rest of the file is in force" : "; nothing of the file is in force";
            var errors = parsed.Errors.Select(error => error with { Message = error.Message + consequence });
            List<ObjectProblem> problems = [.. errors, .. parsed.Notes];
            if (parsed.Errors.Count == 0) _whole.Add(name);
            if (!keep) _store.Apply(name, parsed.Objects, problems, readAgain);
            LogRead(source._logger, name, parsed.Objects.Count, problems.Count);
            sink.Report(name, problems);
        }

        private bool TryReadBytes(string name, ISet<string> readAgain, out byte[] content)
        {
            content = [];
            try
            {
                var path = Path.Combine(source._directory, name);
                var length = (File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path)).Length;
                if (length > MaxLength) throw new IOException($"It has {length:N0} bytes; {MaxLength:N0} are allowed.");
                // Pipes and devices have no length. To open one may never come back.
                if (length > 0) content = File.ReadAllBytes(path);
                return true;
            }
            catch (FileNotFoundException)
            {
                Forget(name, readAgain);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _hashes[name] = null;
                sink.Report(name, [Problem(name, $"the file cannot be read; its last good content stays in force: {e.Message}")]);
            }

            return false;
        }
    }
}
