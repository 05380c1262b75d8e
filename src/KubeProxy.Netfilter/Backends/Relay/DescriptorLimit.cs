using static KubeProxy.Netfilter.Backends.Relay.RelayLibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>How many file descriptors this process may have.</summary>
internal static class DescriptorLimit
{
    private const ulong Enough = 1 << 20; // and what fs.nr_open is by default

    /// <summary>Raises the limit as far as allowed; beyond the hard limit only with CAP_SYS_RESOURCE.</summary>
    /// <returns>The limit then.</returns>
    public static unsafe int Raise()
    {
        var limit = default(ResourceLimit);
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 1024;
        var raised = new ResourceLimit { Current = Math.Max(limit.Current, Enough), Maximum = Math.Max(limit.Maximum, Enough) };
        if (limit.Current < Enough && setrlimit(RLIMIT_NOFILE, &raised) < 0)
        {
            raised = limit with { Current = limit.Maximum };
            if (setrlimit(RLIMIT_NOFILE, &raised) < 0) raised = limit;
        }

        return (int)Math.Min(Math.Max(limit.Current, raised.Current), int.MaxValue);
    }
}
