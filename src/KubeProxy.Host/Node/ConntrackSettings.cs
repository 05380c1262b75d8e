using KubeProxy.Host.Configuration;
using KubeProxy.Netfilter;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Node;

/// <summary>
/// Sets the connection tracking limits of the node. What cannot be set (a container without the privilege, a module that is not loaded)
/// is a warning: the services work all the same.
/// </summary>
/// <param name="settings">The values of the kernel.</param>
/// <param name="logger">Gets a line for every value that changes or cannot.</param>
internal sealed class ConntrackSettings(KernelSettings settings, ILogger<ConntrackSettings> logger)
{
    /// <summary>More is never asked for by <c>maxPerCore</c>, whatever the number of CPUs.</summary>
    public const long LargestScaledMax = 1024 * 1024;

    private const string Netfilter = "proc/sys/net/netfilter/";

    private readonly KernelSettingsWriter _settings = new(settings, logger);

    /// <summary>Writes what differs.</summary>
    public void Apply(ConntrackConfiguration configuration, int cpuCount)
    {
        if (Max(configuration, cpuCount) is { } max) SetMax(max);

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

    /// <summary>
    /// More than is asked for stays, and so does its table: somebody wanted it. Inside a container, where the limit is the machine's and
    /// usually higher, nothing is tried that is not allowed there.
    /// </summary>
    private void SetMax(long max)
    {
        const string Path = Netfilter + "nf_conntrack_max";
        if (_settings.Settings.ReadNumber(Path) > max) return;
        Set(Path, max);
        SetHashSize(max);
    }

    private void SetSeconds(string name, GoDuration? duration)
    {
        if (duration is { Seconds: > 0 } given) Set(Netfilter + name, given.Seconds);
    }

    /// <summary>A table of a quarter of the connections; a larger one stays.</summary>
    private void SetHashSize(long max)
    {
        const string Path = "sys/module/nf_conntrack/parameters/hashsize";
        if (_settings.Settings.ReadNumber(Path) is { } current && current < max / 4) Set(Path, max / 4);
    }

    private void Set(string path, long value) => _settings.Set(path, value, "Set the fields of conntrack to 0 to leave these limits alone");
}
