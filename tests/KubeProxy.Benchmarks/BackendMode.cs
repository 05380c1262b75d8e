namespace KubeProxy.Benchmarks;

/// <summary>Which backend is measured.</summary>
internal enum BackendMode
{
    Nftables,
    Iptables,
    Ipvs,
}
