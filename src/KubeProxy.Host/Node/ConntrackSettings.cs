using System.Globalization;
using KubeProxy.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Node;

/// <summary>
/// Sets the connection tracking limits of the node. What cannot be set (a container without the privilege, a module that is not loaded)
/// is a warning: the services work all the same.
/// </summary>
/// <param name="logger">Gets a line for every value that changes or cannot.</param>
/// <param name="root">Where /proc and /sys are mounted below; "/" but for tests.</param>
internal sealed partial class ConntrackSettings(ILogger<ConntrackSettings> logger, string root = "/")
{
    /// <summary>More is never asked for by <c>maxPerCore</c>, whatever the number of CPUs.</summary>
    public const long LargestScaledMax = 1024 * 1024;

    private const string Netfilter = "proc/sys/net/netfilter/";

    /// <summary>Writes what differs.</summary>
    public void Apply(ConntrackConfiguration configuration, int cpuCount)
    {
        if (Max(configuration, cpuCount) is { } max)
        {
            Set(Netfilter + "nf_conntrack_max", max);
            SetHashSize(max);
        }

        SetSeconds("nf_conntrack_tcp_timeout_established", configuration.TcpEstablishedTimeout);
        SetSeconds("nf_conntrack_tcp_timeout_close_wait", configuration.TcpCloseWaitTimeout);
        if (configuration.TcpBeLiberal) Set(Netfilter + "nf_conntrack_tcp_be_liberal", 1);
        SetSeconds("nf_conntrack_udp_timeout", configuration.UdpTimeout);
        SetSeconds("nf_conntrack_udp_timeout_stream", configuration.UdpStreamTimeout);
    }

    /// <summary>The limit asked for; null to leave it alone.</summary>
    public static long? Max(ConntrackConfiguration configuration, int cpuCount)
    {
        if (configuration.MaxPerCore is not > 0) return null;
        var scaled = (long)configuration.MaxPerCore * cpuCount;
        return scaled > LargestScaledMax ? LargestScaledMax : Math.Max(scaled, configuration.Min ?? 0);
    }

    private void SetSeconds(string name, GoDuration? duration)
    {
        if (duration is { Seconds: > 0 } given) Set(Netfilter + name, given.Seconds);
    }

    /// <summary>A table of a quarter of the connections; a larger one stays.</summary>
    private void SetHashSize(long max)
    {
        const string Path = "sys/module/nf_conntrack/parameters/hashsize";
        if (Read(Path) is { } current && current < max / 4) Set(Path, max / 4);
    }

    private void Set(string path, long value)
    {
        var current = Read(path);
        if (current == value) return;
        try
        {
            // No StreamWriter: a sysctl takes its value in one write. The file must exist; creating it would hide a missing module.
            using var file = new FileStream(Path.Combine(root, path), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
            LogSet("/" + path, value, current);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            LogCannotSet("/" + path, value, current, problem.Message.TrimEnd('.'));
        }
    }

    private long? Read(string path)
    {
        try
        {
            return long.TryParse(File.ReadAllText(Path.Combine(root, path)).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Set {Path} to {Value} (was {Current})")]
    private partial void LogSet(string path, long value, long? current);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot set {Path} to {Value} (it is {Current}): {Reason}. Set the fields of conntrack to 0 to leave these limits alone")]
    private partial void LogCannotSet(string path, long value, long? current, string reason);
}
