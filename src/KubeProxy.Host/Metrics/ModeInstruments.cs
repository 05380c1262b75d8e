using System.Diagnostics.Metrics;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Metrics;

/// <summary>What upstream counts under a name of its own in each mode.</summary>
internal sealed class ModeInstruments : IDisposable
{
    private readonly Meter _meter = new("KubeProxy.Mode");

    /// <param name="mode">The mode.</param>
    /// <param name="families">Tells how the families do.</param>
    public ModeInstruments(string mode, Func<IReadOnlyList<FamilyStatus>> families)
    {
        IEnumerable<Measurement<long>> Failures() =>
            families().Select(family => new Measurement<long>(family.FailedSyncs, new KeyValuePair<string, object?>("ip_family", family.Family.ToString())));

        switch (mode)
        {
            case ProxyMode.Nftables:
                _meter.CreateObservableCounter("kubeproxy_sync_proxy_rules_nftables_sync_failures_total", Failures, null, "Syncs to nftables that failed.");
                break;
            case ProxyMode.Iptables or ProxyMode.Ipvs:
                _meter.CreateObservableCounter(
                    "kubeproxy_sync_proxy_rules_iptables_restore_failures_total", Failures, null, "Syncs to the kernel that failed.");
                break;
        }
    }

    public void Dispose() => _meter.Dispose();
}
