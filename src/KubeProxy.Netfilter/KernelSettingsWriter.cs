using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter;

/// <summary>
/// Sets values of the kernel where they differ. One that cannot be set is a warning: in a container another may have to set it.
/// </summary>
/// <param name="settings">The values.</param>
/// <param name="logger">Gets a line for every value that changes or cannot.</param>
public sealed partial class KernelSettingsWriter(KernelSettings settings, ILogger logger)
{
    /// <summary>The values.</summary>
    public KernelSettings Settings { get; } = settings;

    /// <summary>Writes the value unless it is there already.</summary>
    /// <param name="path">As in <see cref="KernelSettings"/>.</param>
    /// <param name="value">The value.</param>
    /// <param name="otherwise">A sentence without its full stop for when that fails: what it means, or what to do.</param>
    public void Set(string path, long value, string otherwise)
    {
        var current = Settings.ReadNumber(path);
        if (current == value) return;
        try
        {
            Settings.Write(path, value);
            LogSet(logger, "/" + path, value, current);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogCannotSet(logger, "/" + path, value, current, e.Message.TrimEnd('.'), otherwise);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Set {Path} to {Value} (was {Current})")]
    private static partial void LogSet(ILogger logger, string path, long value, long? current);

    [LoggerMessage(2, LogLevel.Warning, "Cannot set {Path} to {Value} (it is {Current}): {Reason}. {Otherwise}")]
    private static partial void LogCannotSet(ILogger logger, string path, long value, long? current, string reason, string otherwise);
}
