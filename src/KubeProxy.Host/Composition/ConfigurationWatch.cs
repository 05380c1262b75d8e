using System.Threading.Channels;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Watches the configuration file, also one in a mounted ConfigMap, which changes by a link in its directory. What can be applied
/// while the proxy runs is applied; anything else ends the process with 1, so that whoever runs it starts it again. A file that
/// cannot be used changes nothing.
/// </summary>
internal sealed partial class ConfigurationWatch(
    ProxyArguments arguments, CurrentConfiguration current, LiveSettings live, ProcessExit exit, TimeProvider time, ILogger<ConfigurationWatch> logger)
    : BackgroundService
{
    // A file is often written in several steps.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(200);

    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private (string Target, DateTime Written, long Length)? _seen;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var file = Path.GetFullPath(arguments.ConfigFile!);
        var watchers = new List<FileSystemWatcher>();
        try
        {
            foreach (var directory in Directories(file)) watchers.Add(Watch(directory));
            Look(file); // It may have changed since it was read.
            while (true)
            {
                await _changed.Reader.ReadAsync(stoppingToken);
                await Task.Delay(SettleTime, time, stoppingToken);
                _changed.Reader.TryRead(out _);
                Look(file);
            }
        }
        catch (Exception problem) when (problem is IOException or ArgumentException or UnauthorizedAccessException)
        {
            LogCannotWatch(file, problem.Message);
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
        finally
        {
            foreach (var watcher in watchers) watcher.Dispose();
        }
    }

    /// <summary>The directory of the file and, where it is a link, that of what it leads to.</summary>
    private static IEnumerable<string> Directories(string file)
    {
        var target = File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file;
        return new[] { Path.GetDirectoryName(file)!, Path.GetDirectoryName(target)! }.Distinct();
    }

    /// <summary>What differs when the file does, as far as can be told without reading it; null when there is none.</summary>
    private static (string Target, DateTime Written, long Length)? Stamp(string file)
    {
        try
        {
            var target = File.ResolveLinkTarget(file, returnFinalTarget: true) as FileInfo ?? new FileInfo(file);
            return (target.FullName, target.LastWriteTimeUtc, target.Length);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private FileSystemWatcher Watch(string directory)
    {
        var watcher = new FileSystemWatcher(directory)
        {
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
        };
        watcher.Changed += (_, _) => _changed.Writer.TryWrite(true);
        watcher.Created += (_, _) => _changed.Writer.TryWrite(true);
        watcher.Renamed += (_, _) => _changed.Writer.TryWrite(true);
        watcher.Error += (_, _) => _changed.Writer.TryWrite(true);
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private void Look(string file)
    {
        var found = Stamp(file);
        if (found == _seen) return;
        _seen = found;
        EffectiveConfiguration after;
        try
        {
            after = ConfigurationLoader.Load(arguments, out _);
        }
        catch (ConfigurationException problem)
        {
            LogUnusable(problem.Message);
            return;
        }

        var before = current.Value;
        var changes = ConfigurationDifference.Of(before.Source, after.Source);
        if (changes.Count == 0) return;
        var restart = changes.Where(path => ConfigurationDifference.EffectOf(path, before.Mode) == ChangeEffect.Restart).ToList();
        if (restart.Count > 0)
        {
            LogRestart(string.Join(", ", restart));
            exit.Fail();
            return;
        }

        current.Value = after;
        var applied = changes.Where(path => ConfigurationDifference.EffectOf(path, before.Mode) == ChangeEffect.Live).ToList();
        if (applied.Count == 0) return;
        live.Apply(after);
        var fields = string.Join(", ", applied);
        LogApplied(fields);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The configuration file changed; applied: {Fields}")]
    private partial void LogApplied(string fields);

    [LoggerMessage(Level = LogLevel.Error, Message = "The configuration file changed in fields that need a restart: {Fields}; ending, to be started again")]
    private partial void LogRestart(string fields);

    [LoggerMessage(Level = LogLevel.Error, Message = "The configuration file changed and cannot be used; the old one stays in force: {Reason}")]
    private partial void LogUnusable(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Changes of {File} cannot be noticed: {Reason}")]
    private partial void LogCannotWatch(string file, string reason);
}
