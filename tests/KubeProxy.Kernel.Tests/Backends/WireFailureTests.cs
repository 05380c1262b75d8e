using System.Diagnostics.Metrics;
using System.Text;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Sync;
using KubeProxy.Kernel.Tests.Nftables;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Damage on the way to the kernel and back: what it refuses, and answers that are lost.</summary>
public sealed class WireFailureTests
{
    private static readonly byte[] Poisoned = [10, 96, 0, 11, 6, 0, 0, 0, 0, 80]; // 10.96.0.11 . tcp . 80, the beginning of keys

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Damage.KeyAttribute)]
    [InlineData(Damage.KeyLength)]
    public async Task Element_that_the_kernel_refuses_concerns_its_service_only(Damage damage)
    {
        using var ns = NetworkNamespace.Create();
        WireTap tap = null!;
        await using var backend = await KernelBackend.StartAsync(ns, wire: socket => tap = new WireTap(socket));
        tap.Alter = datagram => Poison(datagram, damage);
        var others = Enumerable.Range(20, 100).Select(i => Plans.ClusterIp($"s{i}", $"10.96.0.{i}", i)).ToArray();
        var result = await backend.FirstSyncAsync([Plans.ClusterIp("a", "10.96.0.10", 1), Plans.ClusterIp("poison", "10.96.0.11", 2), .. others]);
        var culprit = Assert.Single(result.Quarantined);
        Assert.Equal(Plans.Name("poison"), culprit.Owner);
        Assert.Contains("10.96.0.11", culprit.Reason, StringComparison.Ordinal);
        AssertInForce(ns, ["10.96.0.10", "10.96.0.20", "10.96.0.119"], but: "10.96.0.11");

        // The rest goes on changing.
        result = await backend.SyncAsync(Plans.ClusterIp("b", "10.96.0.12", 4));
        Assert.Single(result.Quarantined);
        AssertInForce(ns, ["10.96.0.10", "10.96.0.12"], but: "10.96.0.11");

        tap.Alter = null;
        result = await backend.SyncAsync(Plans.ClusterIp("poison", "10.96.0.11", 5));
        Assert.Empty(result.Quarantined);
        AssertInForce(ns, ["10.96.0.10", "10.96.0.11", "10.96.0.12"]);
    }

    [Fact]
    public async Task Quarantined_service_is_named_in_log_metric_and_status()
    {
        using var ns = NetworkNamespace.Create();
        WireTap tap = null!;
        await using var backend = KernelBackend.Create(ns, wire: socket => tap = new WireTap(socket));
        tap.Alter = datagram => Poison(datagram, Damage.KeyAttribute);
        var log = new RecordingLogger();
        var gauge = -1;
        // Meters are the process's, and other tests run beside this one.
        using var meters = new OwnMeters();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name == "kubeproxy_sync_quarantined_service_ports") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => gauge = value);
        listener.Start();
        using var engine = new ProxyEngine(new ProxyOptions { NodeName = "node1", NodeWait = TimeSpan.Zero }, [backend.Backend], logger: log, meterFactory: meters);
        Add(engine, "web", "10.96.0.10");
        Add(engine, "poison", "10.96.0.11");
        engine.MarkSynced(ObjectKind.Service);
        engine.MarkSynced(ObjectKind.EndpointSlice);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = ns.Run(() => engine.RunAsync(stop.Token));
        await engine.WaitForSyncAsync(Cancel);

        var culprit = Assert.Single(engine.GetStatus().Families.Single().Quarantined);
        Assert.Equal("default/poison:http", culprit.Owner.ToString());
        Assert.Equal(1, gauge);
        Assert.Contains(log.Lines, line => line.Contains("default/poison:http", StringComparison.Ordinal) && line.Contains("10.96.0.11 . tcp . 80", StringComparison.Ordinal));
        AssertInForce(ns, ["10.96.0.10"], but: "10.96.0.11");

        tap.Alter = null;
        Add(engine, "poison", "10.96.0.11", endpoint: "10.244.0.9");
        await engine.WaitForSyncAsync(Cancel);
        Assert.Empty(engine.GetStatus().Families.Single().Quarantined);
        Assert.Equal(0, gauge);
        AssertInForce(ns, ["10.96.0.10", "10.96.0.11"]);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lost_answer_is_read_back_and_nothing_is_written_twice(bool applied)
    {
        using var ns = NetworkNamespace.Create();
        using var witness = NetworkNamespace.Create();
        WireTap tap = null!;
        await using var backend = await KernelBackend.StartAsync(ns, wire: socket => tap = new WireTap(socket));
        await backend.FirstSyncAsync(Plans.EveryKind());
        var before = tap.Batches;
        var left = 1;
        tap.FateOfBatch = () => left-- > 0 ? applied ? BatchFate.Unanswered : BatchFate.Vanished : BatchFate.Delivered;
        await backend.SyncAsync(Plans.ClusterIp("cluster", "10.96.0.10", 4, 5, 6, 7));
        Assert.Equal(1, tap.Batches - before);
        Assert.True(left < 1);
        Assert.Equal(0, (await backend.SyncAsync(new PlanChanges { Verify = true })).Repaired);

        await using var scratch = await KernelBackend.StartAsync(witness);
        await scratch.FirstSyncAsync([.. Plans.EveryKind().Skip(1), Plans.ClusterIp("cluster", "10.96.0.10", 4, 5, 6, 7)]);
        NftListings.AssertEqual(witness, ns);
    }

    private static void Poison(byte[] datagram, Damage damage)
    {
        // Maps of endpoints have such keys too, with a slot behind them; those of sets of frontends are 12 bytes long.
        for (var at = 0; ; at++)
        {
            var found = datagram.AsSpan(at).IndexOf(Poisoned);
            if (found < 0) return;
            at += found;
            var header = at - 4; // of NFTA_DATA_VALUE
            if (BitConverter.ToUInt16(datagram, header) != 4 + 12) continue;
            if (damage == Damage.KeyLength) BitConverter.TryWriteBytes(datagram.AsSpan(header), (ushort)(4 + 11));
            else BitConverter.TryWriteBytes(datagram.AsSpan(header + 2), (ushort)99); // there is no such attribute
        }
    }

    private static void AssertInForce(NetworkNamespace ns, string[] addresses, string? but = null)
    {
        var table = ns.Exec("nft", "list", "table", "ip", "kube-proxy");
        foreach (var address in addresses) Assert.Contains($" {address} . tcp . 80 comment ", table.ReplaceLineEndings(" ").Replace('\t', ' '), StringComparison.Ordinal);
        if (but is not null) Assert.DoesNotContain($"{but} . tcp . 80", ns.Exec("nft", "list", "ruleset"), StringComparison.Ordinal);
    }

    private static void Add(ProxyEngine engine, string name, string clusterIp, string endpoint = "10.244.0.5")
    {
        var reader = new KubernetesObjectReader();
        engine.Upsert(reader.Read(ObjectKind.Service, Encoding.UTF8.GetBytes($$"""
            {"metadata":{"name":"{{name}}","namespace":"default"},
             "spec":{"clusterIP":"{{clusterIp}}","clusterIPs":["{{clusterIp}}"],"ipFamilies":["IPv4"],"ports":[{"name":"http","protocol":"TCP","port":80}]} }
            """)));
        engine.Upsert(reader.Read(ObjectKind.EndpointSlice, Encoding.UTF8.GetBytes($$"""
            {"metadata":{"name":"{{name}}-1","namespace":"default","labels":{"kubernetes.io/service-name":"{{name}}"} },
             "addressType":"IPv4","ports":[{"name":"http","protocol":"TCP","port":8080}],
             "endpoints":[{"addresses":["{{endpoint}}"],"conditions":{"ready":true} }]}
            """)));
    }

    public enum Damage
    {
        /// <summary>The key is in an attribute that does not exist.</summary>
        KeyAttribute,

        /// <summary>The key is one byte too short.</summary>
        KeyLength,
    }

    private sealed class RecordingLogger : ILogger<ProxyEngine>
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
