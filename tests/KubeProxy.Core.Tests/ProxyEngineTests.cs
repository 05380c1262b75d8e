using KubeProxy.Core.Health;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public sealed class ProxyEngineTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly RecordingBackend _backend = new();
    private readonly CancellationTokenSource _stop = new();
    private ProxyEngine? _engine;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(30)).ContinueWith(_ => { }, TaskScheduler.Default);
        _engine?.Dispose();
        _stop.Dispose();
    }

    private ProxyEngine Start(ProxyOptions? options = null, params IProxyBackend[] others)
    {
        _engine = new ProxyEngine(options ?? Options, [_backend, .. others], _time);
        _running = _engine.RunAsync(_stop.Token);
        return _engine;
    }

    private ProxyEngine StartSynced(ProxyOptions? options = null, params IProxyBackend[] others)
    {
        var engine = Start(options, others);
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        return engine;
    }

    /// <summary>Waits for the loop to have set its timer, and moves the clock to it.</summary>
    private async Task<TimeSpan> AdvanceToTimerAsync()
    {
        var next = await EventuallyAsync(() => _time.NextTimer);
        _time.Advance(next);
        return next;
    }

    private static async Task<T> EventuallyAsync<T>(Func<T?> get) where T : struct
    {
        while (true)
        {
            if (get() is { } value) return value;
            await Task.Delay(1, Token);
        }
    }

    [Fact]
    public async Task Nothing_is_synced_before_services_and_slices_are_complete()
    {
        var engine = Start();
        engine.Upsert(Service("web", "10.96.0.1"));
        engine.MarkSynced(ObjectKind.Service);
        Assert.Equal(0, _backend.PendingSyncs);
        engine.Upsert(Slice("web-a", "web", At("10.0.0.1")));
        engine.MarkSynced(ObjectKind.EndpointSlice);
        var changes = await _backend.NextAsync();
        Assert.NotNull(changes.Node);
        Assert.Equal("10.0.0.1:8080", Assert.Single(Assert.Single(changes.Updated).ClusterEndpoints).ToString());
    }

    [Fact]
    public async Task The_first_sync_waits_some_seconds_for_the_node()
    {
        var engine = Start(Options with { NodeWait = TimeSpan.FromSeconds(5) });
        engine.MarkSynced(ObjectKind.Service);
        engine.MarkSynced(ObjectKind.EndpointSlice);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(0, _backend.PendingSyncs);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await _backend.NextAsync();
    }

    [Fact]
    public async Task A_change_is_synced_alone_and_an_equal_plan_not_at_all()
    {
        var engine = StartSynced();
        engine.Upsert(Service("a", "10.96.0.1"));
        engine.Upsert(Service("b", "10.96.0.2"));
        await engine.WaitForSyncAsync(Token);
        while (_backend.PendingSyncs > 0) await _backend.NextAsync();

        engine.Upsert(Slice("a-a", "a", At("10.0.0.1", ready: false))); // Changes nothing that the plan shows.
        await engine.WaitForSyncAsync(Token);
        Assert.Equal(0, _backend.PendingSyncs);

        engine.Upsert(Slice("a-a", "a", At("10.0.0.1")));
        Assert.Equal("default/a", Assert.Single((await _backend.NextAsync()).Updated).Name.ToString());
    }

    [Fact]
    public async Task MinSyncPeriod_counts_from_the_end_of_a_sync_and_coalesces()
    {
        var gate = new TaskCompletionSource();
        _backend.OnSync = async _ =>
        {
            await gate.Task;
            return new SyncResult();
        };
        var engine = StartSynced(Options with { MinSyncPeriod = TimeSpan.FromSeconds(10) });
        await _backend.NextAsync();
        engine.Upsert(Service("a", "10.96.0.1"));
        engine.Upsert(Service("b", "10.96.0.2"));
        _time.Advance(TimeSpan.FromSeconds(60)); // The sync takes a minute.
        gate.SetResult();
        Assert.Equal(TimeSpan.FromSeconds(10), await AdvanceToTimerAsync());
        Assert.Equal(2, (await _backend.NextAsync()).Updated.Count);
    }

    [Fact]
    public async Task A_failed_sync_is_tried_again_ever_later_and_not_given_its_changes_twice()
    {
        _backend.OnSync = _ => Task.FromException<SyncResult>(new ProxyBackendException("no"));
        var engine = Start(Options with { SyncPeriod = TimeSpan.FromSeconds(1) });
        engine.Upsert(Service("a", "10.96.0.1"));
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        Assert.Single((await _backend.NextAsync()).Updated);
        double[] atLeast = [0.1, 0.2, 0.4, 0.8, 1, 1];
        foreach (var least in atLeast)
        {
            var delay = await AdvanceToTimerAsync();
            Assert.InRange(delay.TotalSeconds, least - 0.001, Math.Min(1.001, least * 1.25 + 0.001));
            Assert.Empty((await _backend.NextAsync()).Updated);
        }

        Assert.Equal("no", Assert.Single(engine.GetStatus().Families).LastError);
        _backend.OnSync = _ => Task.FromResult(new SyncResult());
        await AdvanceToTimerAsync();
        await engine.WaitForSyncAsync(Token);
        Assert.Null(Assert.Single(engine.GetStatus().Families).LastError);
        Assert.InRange((await EventuallyAsync<TimeSpan>(() => _time.NextTimer is { TotalMinutes: > 1 } far ? far : null)).TotalMinutes, 59, 60);
    }

    [Fact]
    public async Task Even_an_unexpected_exception_does_not_end_the_loop()
    {
        _backend.OnSync = _ => throw new InvalidOperationException("bug");
        StartSynced();
        await _backend.NextAsync();
        _backend.OnSync = _ => Task.FromResult(new SyncResult());
        await AdvanceToTimerAsync();
        await _backend.NextAsync();
    }

    [Fact]
    public async Task Once_an_hour_the_kernel_is_verified()
    {
        var engine = StartSynced();
        Assert.False((await _backend.NextAsync()).Verify);
        await engine.WaitForSyncAsync(Token);
        Assert.Equal(TimeSpan.FromHours(1), await AdvanceToTimerAsync());
        Assert.True((await _backend.NextAsync()).Verify);
    }

    [Fact]
    public async Task The_backend_can_ask_for_a_sync()
    {
        var engine = StartSynced();
        await _backend.NextAsync();
        await engine.WaitForSyncAsync(Token);
        _backend.RequestSync("the table is gone");
        var changes = await _backend.NextAsync();
        Assert.True(changes.Updated.Count == 0 && changes.Node is null && !changes.Verify);
    }

    [Fact]
    public async Task A_step_is_followed_by_the_next_at_once_and_changes_go_with_it()
    {
        var pending = new Queue<int>([2, 1, 0]);
        var second = new TaskCompletionSource();
        _backend.OnSync = async _ =>
        {
            if (pending.Count == 2) await second.Task.WaitAsync(Token);
            return new SyncResult { Pending = pending.Dequeue() };
        };
        var engine = StartSynced(Options with { MinSyncPeriod = TimeSpan.FromSeconds(10) });
        await _backend.NextAsync();
        await _backend.NextAsync();
        var all = engine.WaitForSyncAsync(Token);
        Assert.Equal((2, false), (engine.GetStatus().Families[0].Pending, engine.GetStatus().Families[0].IsCurrent));
        engine.Upsert(Service("web", "10.96.0.1"));
        Assert.False(all.IsCompleted);
        second.SetResult();
        Assert.Single((await _backend.NextAsync()).Updated);
        await all.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((0, true), (engine.GetStatus().Families[0].Pending, engine.GetStatus().Families[0].IsCurrent));
    }

    [Fact]
    public async Task A_family_that_fails_does_not_hold_up_the_other()
    {
        _backend.OnSync = _ => Task.FromException<SyncResult>(new ProxyBackendException("no IPv4"));
        var v6 = new RecordingBackend(IpFamily.IPv6);
        var engine = StartSynced(null, v6);
        await _backend.NextAsync();
        await v6.NextAsync();
        engine.Upsert(Service("web", "fd00::1"));
        Assert.Single((await v6.NextAsync()).Updated);
    }

    [Fact]
    public async Task A_backend_that_cannot_start_ends_the_engine()
    {
        _backend.StartFailure = new ProxyBackendException("CAP_NET_ADMIN is missing");
        using var engine = new ProxyEngine(Options, [_backend, new RecordingBackend(IpFamily.IPv6)], _time);
        var failure = await Assert.ThrowsAsync<ProxyBackendException>(() => engine.RunAsync(Token));
        Assert.Equal("CAP_NET_ADMIN is missing", failure.Message);
    }

    [Fact]
    public async Task Families_are_unprogrammed_until_their_first_sync_succeeds()
    {
        var other = new RecordingBackend(IpFamily.IPv6) { OnSync = _ => throw new ProxyBackendException("no") };
        var engine = Start(null, other);
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], engine.Health.Report().Unprogrammed);
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        await EventuallyAsync(() => engine.Health.Report() is { Unprogrammed: [IpFamily.IPv6] } report && report.Families[IpFamily.IPv6].LastError == "no" ? true : (bool?)null);
        other.OnSync = _ => Task.FromResult(new SyncResult());
        await AdvanceToTimerAsync();
        await engine.WaitForSyncAsync(Token);
        Assert.Empty(engine.Health.Report().Unprogrammed);
        Assert.Null(engine.Health.Report().Families[IpFamily.IPv6].LastError);
    }

    [Fact]
    public async Task A_check_that_fails_for_long_is_unhealthy_although_nothing_was_queued()
    {
        var options = Options with { SyncPeriod = TimeSpan.FromSeconds(10), VerifyPeriod = TimeSpan.FromHours(1) };
        var engine = StartSynced(options);
        await engine.WaitForSyncAsync(Token);
        _backend.OnSync = _ => throw new ProxyBackendException("no");
        _time.Advance(TimeSpan.FromHours(1));
        await EventuallyAsync(() => engine.Health.Report().Families[IpFamily.IPv4].LastError is null ? (bool?)null : true);
        Assert.True(engine.Health.Report().Healthy);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(engine.Health.Report().Healthy);
    }

    [Fact]
    public async Task Repairs_are_remembered_for_two_minutes_with_who_made_them_necessary()
    {
        var engine = StartSynced();
        await engine.WaitForSyncAsync(Token);
        _backend.OnSync = _ => Task.FromResult(new SyncResult { Repaired = 4 });
        for (var i = 1; i <= 3; i++)
        {
            _backend.RequestSync($"changed by x (pid {i})");
            await EventuallyAsync(() => engine.GetStatus().Families[0].Repaired == 4 * i ? true : (bool?)null);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        var status = engine.GetStatus().Families[0];
        Assert.Equal((3, "changed by x (pid 3)"), (status.RecentRepairs, status.LastDoubt));
        _time.Advance(TimeSpan.FromSeconds(101));
        Assert.Equal(1, engine.GetStatus().Families[0].RecentRepairs);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, engine.GetStatus().Families[0].RecentRepairs);
    }

    [Fact]
    public async Task Health_turns_bad_when_a_change_waits_for_twice_the_sync_period()
    {
        var engine = StartSynced(Options with { SyncPeriod = TimeSpan.FromSeconds(10) });
        await engine.WaitForSyncAsync(Token);
        _time.Advance(TimeSpan.FromHours(0.9));
        Assert.True(engine.Health.Report().Healthy); // Nothing waits.

        var gate = new TaskCompletionSource<SyncResult>();
        while (_backend.PendingSyncs > 0) await _backend.NextAsync();
        _backend.OnSync = _ => gate.Task;
        engine.Upsert(Service("a", "10.96.0.1"));
        await _backend.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(19));
        Assert.True(engine.Health.Report().Healthy);
        _time.Advance(TimeSpan.FromSeconds(1));
        var report = engine.Health.Report();
        Assert.False(report.Healthy);
        Assert.False(report.Families[IpFamily.IPv4].Healthy);
        gate.SetResult(new SyncResult());
        await engine.WaitForSyncAsync(Token);
        Assert.True(engine.Health.Report().Healthy);
        Assert.Equal(_time.GetUtcNow(), engine.Health.Report().LastUpdated);
    }

    [Fact]
    public void Node_eligibility()
    {
        var engine = Start();
        Assert.False(engine.Health.Report().NodeEligible);
        engine.Upsert(Node());
        Assert.True(engine.Health.Report().NodeEligible);
        engine.Upsert(Node() with { Spec = new NodeSpec { Taints = [new Taint { Key = WellKnownNames.ToBeDeletedTaint }] } });
        Assert.False(engine.Health.Report().NodeEligible);
        engine.Upsert(Node());
        engine.Delete(ObjectKind.Node, new NamespacedName("", Node1));
        Assert.True(engine.Health.Report().NodeEligible);
        engine.Upsert(Node() with { Metadata = new ObjectMeta { Name = "other", DeletionTimestamp = _time.GetUtcNow() } });
        Assert.True(engine.Health.Report().NodeEligible);
        engine.Upsert(Node() with { Metadata = new ObjectMeta { Name = Node1, DeletionTimestamp = _time.GetUtcNow() } });
        Assert.False(engine.Health.Report().NodeEligible);
    }

    [Fact]
    public async Task Replace_deletes_what_is_not_in_it()
    {
        var engine = StartSynced();
        engine.Upsert(Service("a", "10.96.0.1"));
        engine.Upsert(Service("b", "10.96.0.2", port: new() { Port = 0 }));
        engine.Replace(ObjectKind.Service, [Service("c", "10.96.0.3")]);
        await engine.WaitForSyncAsync(Token);
        Assert.Equal("default/c", Assert.Single(_backend.Plans).Key.ToString());
        Assert.Empty(engine.GetStatus().Problems);
        Assert.Equal("default/c", Assert.Single(engine.GetPlans(IpFamily.IPv4)).Name.ToString());
    }

    [Fact]
    public async Task Node_changes_reach_the_node_plan_and_the_topology()
    {
        var engine = StartSynced(Options with { NodePortAddresses = NodePortAddresses.Parse(["primary"]) });
        engine.Upsert(Service("a", "10.96.0.1"));
        engine.Upsert(Slice("a-a", "a", At("10.0.0.1", zones: ["zone-a"]), At("10.0.0.2", zones: ["zone-b"])));
        await engine.WaitForSyncAsync(Token);
        while (_backend.PendingSyncs > 0) await _backend.NextAsync();
        engine.Upsert(Node("zone-b", "203.0.113.11"));
        var changes = await _backend.NextAsync();
        Assert.Equal("203.0.113.11/32", Assert.Single(changes.Node!.NodePortAddresses).ToString());
        Assert.False(changes.Node.NamesLocalhost);
        Assert.Equal("10.0.0.2:8080", Assert.Single(Assert.Single(changes.Updated).ClusterEndpoints).ToString());
        engine.Upsert(new ServiceCIDR { Metadata = new() { Name = "kubernetes" }, Spec = new() { Cidrs = ["10.96.0.0/12", "fd00::/108"] } });
        Assert.Equal("10.96.0.0/12", Assert.Single((await _backend.NextAsync()).Node!.ServiceCidrs).ToString());
        engine.Reconfigure(Options with { NodePortAddresses = NodePortAddresses.Parse(["primary", "localhost"]) });
        Assert.True((await _backend.NextAsync()).Node!.NamesLocalhost);
    }

    [Fact]
    public async Task Health_checks_of_services_follow_a_successful_sync()
    {
        _backend.OnSync = _ => Task.FromException<SyncResult>(new ProxyBackendException("no"));
        var engine = Start();
        var changed = 0;
        engine.ServiceHealth.Changed += (_, _) => Interlocked.Increment(ref changed);
        engine.Upsert(Service("web", "10.96.0.1", spec => spec with { Type = "LoadBalancer", ExternalTrafficPolicy = "Local", HealthCheckNodePort = 32000 }));
        engine.Upsert(Slice("web-a", "web", At("10.0.0.1", Node1)));
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        await _backend.NextAsync();
        Assert.Empty(engine.ServiceHealth.Snapshot());
        _backend.OnSync = _ => Task.FromResult(new SyncResult());
        await AdvanceToTimerAsync();
        await engine.WaitForSyncAsync(Token);
        Assert.Equal([new ServiceHealth(Named("web"), IpFamily.IPv4, 32000, 1)], engine.ServiceHealth.Snapshot());
        Assert.Equal(1, changed);
    }

    [Fact]
    public async Task The_status_tells_counts_problems_and_quarantine()
    {
        var owner = new QuarantinedOwner(new ServicePortName(Named("web"), "", Protocol.Tcp), "add element: EINVAL", _time.GetUtcNow());
        _backend.OnSync = _ => Task.FromResult(new SyncResult { Operations = 3, Repaired = 2, Quarantined = [owner] });
        var engine = Start();
        engine.Upsert(Node("zone-a"));
        engine.Upsert(Service("web", "10.96.0.1", spec => spec with { ExternalIPs = ["x"] }));
        engine.Upsert(Slice("web-a", "web", At("10.0.0.1"), At("10.0.0.2")));
        engine.Report("bad.json", [new ObjectProblem("", new("", ""), "", "broken", "bad.json")]);
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        await engine.WaitForSyncAsync(Token);
        var status = engine.GetStatus();
        Assert.Equal((Node1, "zone-a", 4), (status.NodeName, status.Zone, status.Synced.Count));
        Assert.Equal((1, 1, 2, 0, 0), (status.Counts.Services, status.Counts.EndpointSlices, status.Counts.Endpoints, status.Counts.PendingServices, status.Counts.PendingEndpoints));
        Assert.Equal(["Service default/web spec.externalIPs[0]: 'x' is not an IP address; it is left out", "bad.json: broken"], status.Problems.Select(p => p.ToString()));
        var family = Assert.Single(status.Families);
        Assert.Equal((1, 2L, _time.GetUtcNow()), (family.ServicePorts, family.Repaired, family.LastSync));
        Assert.Equal(owner, Assert.Single(family.Quarantined));
        engine.Report("bad.json", []);
        Assert.Single(engine.GetStatus().Problems);
    }

    [Fact]
    public async Task An_in_memory_source_feeds_an_engine()
    {
        var source = new InMemoryProxySource();
        source.Set(Service("a", "10.96.0.1"), Service("b", "10.96.0.2"));
        var engine = Start();
        var pushing = source.RunAsync(engine, _stop.Token);
        Assert.Equal(2, (await _backend.NextAsync()).Updated.Count);
        source.Remove(ObjectKind.Service, Named("a"));
        Assert.Equal("default/a", Assert.Single((await _backend.NextAsync()).Removed).ToString());
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pushing);
    }

    [Fact]
    public async Task Any_thread_may_push()
    {
        var engine = StartSynced();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                engine.Upsert(Service($"s{thread}-{i}", $"10.{96 + thread}.{i / 250}.{i % 250 + 1}"));
                engine.Upsert(Slice($"s{thread}-{i}-a", $"s{thread}-{i}", At("10.0.0.1")));
                if (i % 2 == 1) engine.Delete(ObjectKind.Service, Named($"s{thread}-{i}"));
            }
        }, Token)));
        await engine.WaitForSyncAsync(Token);
        lock (_backend.Plans)
        {
            Assert.Equal(1000, _backend.Plans.Count);
            Assert.All(_backend.Plans.Values, plan => Assert.Single(plan.ClusterEndpoints));
        }
    }

    [Fact]
    public void Contradictory_set_ups_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ProxyEngine(Options, []));
        Assert.Throws<ArgumentException>(() => new ProxyEngine(Options, [new RecordingBackend(), new RecordingBackend()]));
        Assert.Throws<ArgumentException>(() => new ProxyEngine(Options with { NodeName = " " }, [_backend]));
        Assert.Throws<ArgumentException>(() => new ProxyEngine(Options with { SyncPeriod = TimeSpan.Zero }, [_backend]));
        Assert.Throws<ArgumentException>(() => new ProxyEngine(Options with { MinSyncPeriod = TimeSpan.FromMinutes(1) }, [_backend]));
    }
}
