using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The instruments of the meter <c>KubeProxy.Iptables</c>, with the names and labels of upstream's.</summary>
internal sealed class IptablesMetrics : IDisposable
{
    private const string MeterName = "KubeProxy.Iptables";

    private static readonly IptablesTable[] Tables = [IptablesTable.Filter, IptablesTable.Nat];

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly IpFamily _family;

    public IptablesMetrics(IMeterFactory? factory, IpFamily family, RuleTally tally)
    {
        (_family, _ownsMeter) = (family, factory is null);
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _meter.CreateObservableGauge("kubeproxy_sync_proxy_rules_iptables_total", () => Read(tally.Wanted), null, "Rules of the proxy.");
        _meter.CreateObservableGauge("kubeproxy_sync_proxy_rules_iptables_last", () => Read(tally.Written), null, "Rules written by the last sync.");
    }

    /// <summary>
    /// Reports what rules count in the kernel. The objects are for both families together, so it is for one of them to do.
    /// </summary>
    public void Observe(IAccounting accounting)
    {
        CounterOf("kubeproxy_iptables_ct_state_invalid_dropped_packets_total", "Packets dropped that belong to no connection.", IptablesLayout.InvalidDropped);
        CounterOf("kubeproxy_iptables_localhost_nodeports_accepted_packets_total", "Packets to node ports on loopback addresses.", IptablesLayout.LocalhostAccepted);

        void CounterOf(string name, string description, string counter) =>
            _meter.CreateObservableCounter(name, () => Packets(accounting, counter), null, description);
    }

    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
    }

    private IEnumerable<Measurement<long>> Read(Func<IptablesTable, long> value) => Tables.Select(table =>
        new Measurement<long>(value(table), new KeyValuePair<string, object?>("table", table.NftName()), new("ip_family", _family.ToString())));

    // One request of some microseconds: the kernel answers within the system call.
    private static IEnumerable<Measurement<long>> Packets(IAccounting accounting, string counter)
    {
        try
        {
            return accounting.ReadAsync(counter).GetAwaiter().GetResult() is { } found ? [new((long)found.Packets)] : [];
        }
        catch (Exception e) when (e is NetlinkException or ObjectDisposedException)
        {
            return [];
        }
    }
}
