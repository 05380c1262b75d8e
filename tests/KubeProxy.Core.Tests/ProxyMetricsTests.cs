using System.Diagnostics.Metrics;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class ProxyMetricsTests
{
    [Fact]
    public async Task A_sync_is_measured()
    {
        var token = TestContext.Current.CancellationToken;
        var time = new ManualTime();
        using var factory = new Factory();
        var seen = new Dictionary<string, double>();
        using var listener = Listen(factory, seen);
        var backend = new RecordingBackend
        {
            OnSync = _ => Task.FromResult(new SyncResult { Operations = 7, Repaired = 1, DeletedFlows = 2, CommitTime = TimeSpan.FromSeconds(3) }),
        };
        using var engine = new ProxyEngine(Options, [backend], time, meterFactory: factory);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = engine.RunAsync(stop.Token);

        var slice = Slice("web-a", "web", At("10.0.0.1"));
        engine.Upsert(Service("web", "10.96.0.1", spec => spec with { InternalTrafficPolicy = "Local" }));
        engine.Upsert(slice with
        {
            Metadata = slice.Metadata with { Annotations = new() { [WellKnownNames.LastChangeTriggerTimeAnnotation] = "2026-01-01T00:00:05.5Z" } },
        });
        time.Advance(TimeSpan.FromSeconds(10));
        listener.RecordObservableInstruments();
        Assert.Equal((1, 1), (seen["kubeproxy_sync_proxy_rules_service_changes_pending"], seen["kubeproxy_sync_proxy_rules_endpoint_changes_pending"]));
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        await engine.WaitForSyncAsync(token);

        listener.RecordObservableInstruments();
        lock (seen)
        {
            Assert.DoesNotContain("kubeproxy_network_programming_duration_seconds ip_family=IPv4", seen.Keys); // It was in the initial list.
            Assert.Equal(3, seen["kubeproxy_sync_commit_duration_seconds ip_family=IPv4"]);
            Assert.Equal(time.GetUtcNow().ToUnixTimeSeconds(), seen["kubeproxy_sync_proxy_rules_last_timestamp_seconds ip_family=IPv4"]);
            Assert.Equal(1, seen["kubeproxy_sync_proxy_rules_no_local_endpoints_total ip_family=IPv4 traffic_policy=internal"]);
            Assert.Equal(0, seen["kubeproxy_sync_proxy_rules_no_local_endpoints_total ip_family=IPv4 traffic_policy=external"]);
            Assert.Equal((0, 0), (seen["kubeproxy_sync_proxy_rules_service_changes_pending"], seen["kubeproxy_sync_proxy_rules_endpoint_changes_pending"]));
            Assert.Equal((1, 1), (seen["kubeproxy_sync_proxy_rules_service_changes_total"], seen["kubeproxy_sync_proxy_rules_endpoint_changes_total"]));
            Assert.Equal((7, 1, 2), (seen["kubeproxy_sync_operations_total ip_family=IPv4"], seen["kubeproxy_sync_repairs_total ip_family=IPv4"],
                seen["kubeproxy_conntrack_reconciler_deleted_entries_total ip_family=IPv4"]));
            Assert.Contains("kubeproxy_sync_proxy_rules_duration_seconds ip_family=IPv4", seen.Keys);
            Assert.Contains("kubeproxy_sync_full_proxy_rules_duration_seconds ip_family=IPv4", seen.Keys);
            Assert.DoesNotContain("kubeproxy_sync_partial_proxy_rules_duration_seconds ip_family=IPv4", seen.Keys);
        }

        engine.Upsert(Service("other", "10.96.0.2"));
        engine.Upsert(Slice("web-a", "web", At("10.0.0.2")) with
        {
            Metadata = slice.Metadata with { Annotations = new() { [WellKnownNames.LastChangeTriggerTimeAnnotation] = "2026-01-01T00:00:05.5Z" } },
        });
        await engine.WaitForSyncAsync(token);
        lock (seen)
        {
            Assert.Equal(4.5, seen["kubeproxy_network_programming_duration_seconds ip_family=IPv4"]);
            Assert.Contains("kubeproxy_sync_partial_proxy_rules_duration_seconds ip_family=IPv4", seen.Keys);
            Assert.Contains("kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds ip_family=IPv4", seen.Keys);
            Assert.True(engine.GetStatus().Families[0].IsCurrent);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static MeterListener Listen(Factory factory, Dictionary<string, double> seen)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter == factory.Meter) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => See(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => See(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => See(instrument, value, tags));
        listener.Start();
        return listener;

        void See(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}");
            lock (seen) seen[instrument.Name + string.Concat(labels)] = value;
        }
    }

    private sealed class Factory : IMeterFactory
    {
        public Meter? Meter { get; private set; }

        public Meter Create(MeterOptions options) => Meter = new Meter(options);

        public void Dispose() => Meter?.Dispose();
    }
}
