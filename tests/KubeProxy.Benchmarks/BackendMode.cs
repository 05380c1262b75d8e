namespace KubeProxy.Benchmarks;

/// <summary>Which backend is measured.</summary>
internal enum BackendMode
{
    Nftables,
    Iptables,
    Ipvs,

    /// <summary>nftables mode, and all services ask for session affinity.</summary>
    Affinity,
}
