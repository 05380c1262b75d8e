using System.Globalization;
using System.Text;

namespace KubeProxy.Netfilter;

/// <summary>Values of the kernel that are files below <c>/proc</c> and <c>/sys</c>, of the network namespace of the calling thread.</summary>
/// <param name="root">Where they are; "/" but for tests.</param>
public sealed class KernelSettings(string root = "/")
{
    /// <summary>Those of no kernel: it has none of them.</summary>
    public static KernelSettings None { get; } = new("/dev/null");

    /// <summary>Called in place of writing, with path and value: for a dry run. Null to write.</summary>
    public Action<string, long>? Instead { get; init; }

    /// <summary>The value without white space around it; null when the kernel does not have it.</summary>
    /// <param name="path">From the root, for example <c>proc/sys/net/ipv4/ip_forward</c>.</param>
    public string? Read(string path)
    {
        var file = Path.Combine(root, path);
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The value as a number; null when the kernel does not have it or it is none.</summary>
    /// <inheritdoc cref="Read"/>
    public long? ReadNumber(string path) =>
        long.TryParse(Read(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The names of what is in a directory; none when the kernel does not have it.</summary>
    /// <inheritdoc cref="Read"/>
    public IReadOnlyList<string> List(string path)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(Path.Combine(root, path)).Select(Path.GetFileName).OfType<string>()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Writes a value. The file must exist: to create it would hide a module that is missing.</summary>
    /// <exception cref="IOException">There is no such value, or the kernel refused it.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Write(string path, long value)
    {
        if (Instead is not null)
        {
            Instead(path, value);
            return;
        }

        // No StreamWriter: such a file takes its value in one write.
        using var file = new FileStream(Path.Combine(root, path), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
    }
}
