using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>The instruments of the meter <c>KubeProxy.Nftables</c> for node ports on loopback addresses, with the names and labels of upstream's.</summary>
internal sealed class LocalhostMetrics : IDisposable
{
    private const string MeterName = "KubeProxy.Nftables";

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly IpFamily _family;
    private readonly INftables _nftables;
    private readonly Counter<long> _failures;

    /// <summary>Makes the instruments.</summary>
    /// <param name="factory">Makes the meter; null for one of its own.</param>
    /// <param name="family">The family.</param>
    /// <param name="nftables">Where the rejected packets are read; they are not once it is disposed.</param>
    /// <param name="listeners">How many ports are open.</param>
    public LocalhostMetrics(IMeterFactory? factory, IpFamily family, INftables nftables, Func<int> listeners)
    {
        (_family, _nftables, _ownsMeter) = (family, nftables, factory is null);
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _meter.CreateObservableGauge("kubeproxy_nftables_localhost_nodeport_listeners", () => new Measurement<int>(listeners(), Family), null,
            "Node ports that are open on the loopback address.");
        _failures = _meter.CreateCounter<long>("kubeproxy_nftables_localhost_nodeport_listener_creation_failures_total", null,
            "Attempts to open a node port on the loopback address that failed.");
        _meter.CreateObservableCounter("kubeproxy_nftables_localhost_nodeport_rejected_packets_total", Rejected, null,
            "Packets to node ports on loopback addresses that were rejected.");
    }

    /// <summary>A port could not be opened.</summary>
    public void CreationFailed() => _failures.Add(1, Family);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
    }

    private KeyValuePair<string, object?> Family => new("ip_family", _family.ToString());

    // One dump of three rules: the kernel answers within the system call.
    private List<Measurement<long>> Rejected()
    {
        var measurements = new List<Measurement<long>>();
        try
        {
            _nftables.VisitRulesAsync(RuleParts.TableOf(_family), LocalhostRejects.ChainName, Visit, measurements.Clear).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is NftReadException or NetlinkException or ObjectDisposedException)
        {
            return []; // There is no table yet, or no longer.
        }

        return measurements;

        void Visit(string chain, NftRuleInKernel rule)
        {
            if (LocalhostRejects.Read(rule.Rule) is not { } read) return;
            measurements.Add(new Measurement<long>((long)read.Packets, Family, new("protocol", read.Protocol.ToLowerName())));
        }
    }
}
