using System.Diagnostics.Metrics;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Netfilter.Tests.Iptables;

/// <summary>The instruments beside the rules that are there.</summary>
public sealed class IptablesMetricsTests : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    [Fact]
    public async Task Rules_are_counted_as_upstream_counts_them()
    {
        await using var harness = IptablesHarness.Create(accounting: true, meters: this);
        await harness.Backend.StartAsync(_ => { }, TestContext.Current.CancellationToken);
        await harness.FirstSyncAsync();
        Assert.Equal((4, 5), (Read("kubeproxy_sync_proxy_rules_iptables_total", "filter"), Read("kubeproxy_sync_proxy_rules_iptables_total", "nat")));

        await harness.SyncAsync([.. Plans.EveryKind()]);
        await AssertTotalsAsync(harness);
        await harness.SyncAsync(Plans.ClusterIp("web", "10.96.0.10", 1, 2, 3));
        await AssertTotalsAsync(harness);
        // One jump, one chain of two rules; the probabilities of the others change.
        await harness.SyncAsync(Plans.ClusterIp("web", "10.96.0.10", 1, 2, 3, 4));
        await AssertTotalsAsync(harness);
        Assert.InRange(Read("kubeproxy_sync_proxy_rules_iptables_last", "nat") ?? 0, 3, 6);
        Assert.Equal(0, Read("kubeproxy_sync_proxy_rules_iptables_last", "filter"));
        await harness.RemoveAsync(Plans.Name("web"));
        await AssertTotalsAsync(harness);
        await harness.SyncAsync();
        Assert.Equal(0, Read("kubeproxy_sync_proxy_rules_iptables_last", "nat"));
    }

    [Fact]
    public async Task What_rules_count_in_the_kernel_is_reported_where_they_can()
    {
        await using var harness = IptablesHarness.Create(accounting: true, meters: this);
        await harness.Backend.StartAsync(_ => { }, TestContext.Current.CancellationToken);
        Assert.Equal("ct_state_invalid_dropped_pkts".Length, Read("kubeproxy_iptables_ct_state_invalid_dropped_packets_total", null));
        Assert.Equal("localhost_nps_accepted_pkts".Length, Read("kubeproxy_iptables_localhost_nodeports_accepted_packets_total", null));
    }

    [Fact]
    public async Task Without_accounting_there_is_nothing_to_report()
    {
        await using var harness = IptablesHarness.Create(meters: this);
        await harness.Backend.StartAsync(_ => { }, TestContext.Current.CancellationToken);
        Assert.Null(Read("kubeproxy_iptables_ct_state_invalid_dropped_packets_total", null));
    }

    Meter IMeterFactory.Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => _meters.ForEach(meter => meter.Dispose());

    private async Task AssertTotalsAsync(IptablesHarness harness)
    {
        Assert.Equal(Count(await harness.FilterAsync()), Read("kubeproxy_sync_proxy_rules_iptables_total", "filter"));
        Assert.Equal(Count(await harness.NatAsync()), Read("kubeproxy_sync_proxy_rules_iptables_total", "nat"));

        // What leads to our chains does not count.
        static int Count(IReadOnlyDictionary<string, List<string>> chains) => chains
            .Where(chain => chain.Key.StartsWith("KUBE-", StringComparison.Ordinal)).Sum(chain => chain.Value.Count);
    }

    private long? Read(string name, string? table)
    {
        long? found = null;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == name && _meters.Contains(instrument.Meter)) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            foreach (var tag in tags)
                if (tag is { Key: "table" } && (string?)tag.Value != table) return;
            found = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return found;
    }
}
