using System.Diagnostics;
using System.Globalization;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>
/// The whole program against an API server. <c>CHURN_SECONDS</c> sets how long each test goes on; 600 is what counts, less is for every
/// day.
/// </summary>
[Collection("proxy processes")]
public sealed class ApiChurnTests
{
    private static readonly TimeSpan Duration =
        TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("CHURN_SECONDS") ?? "30", CultureInfo.InvariantCulture));

    // After the faults a kind that failed alone may be waiting for its next attempt: half a minute at most, and what jitter adds.
    private const int RecoveryMilliseconds = 120_000;

    [Fact]
    public async Task After_random_changes_and_faults_the_kernel_holds_what_is_desired()
    {
        await using var node = await ApiNode.CreateAsync();
        using var proxy = await node.StartAsync();
        var seed = Environment.TickCount;
        var (random, faults) = (new Random(seed), new Random(seed + 1)); // The second is used under the lock of the server only.
        node.Server.SetChaos(_ => faults.Next(40) switch
        {
            0 => new Fault.StallAfter(faults.Next(3000)),
            < 20 => Chaos.RandomFault(faults),
            _ => null,
        });
        var start = Stopwatch.GetTimestamp();
        var changes = 0;
        for (; Stopwatch.GetElapsedTime(start) < Duration; changes++)
        {
            ApiClusterChange.Make(node.Server, random);
            if (random.Next(60) == 0) Chaos.Disturb(node.Server, random);
            if (random.Next(400) == 0) node.Namespace.Exec("nft", "flush", "ruleset");
            if (random.Next(1000) == 0) await BeAwayAsync(node.Server, TimeSpan.FromSeconds(random.Next(1, 4)));
            await Task.Delay(random.Next(1, 20), TestContext.Current.CancellationToken);
            Assert.False(proxy.HasExited, proxy.Log);
        }

        node.Server.SetChaos(null);
        node.Server.Set("services", ApiObjects.Service("last", "10.96.255.1"));
        node.Server.Set("endpointslices", ApiObjects.Slice("last-1", "last", ["10.244.255.1"]));
        node.Server.CutConnections();
        await WaitForLastAsync(node);
        // The watch of the node recovers in its own time.
        await MoveAsync(node, proxy, "zone-of-its-own");
        await MoveAsync(node, proxy, "zone-a");
        var (v4, v6) = await SettledAsync(node.Namespace);
        TestContext.Current.SendDiagnosticMessage($"seed {seed}: {changes} changes, {node.Server.Requests.Count} requests, {v4.Split('\n').Length + v6.Split('\n').Length} lines of rules");

        // What the program makes of the same objects when it starts on an empty ruleset.
        Assert.Equal(0, proxy.Terminate());
        node.Namespace.Exec("nft", "flush", "ruleset");
        using var again = await node.StartAsync();
        AssertSame(ProxyTable.Normalise(node.Namespace), v4);
        AssertSame(ProxyTable.Normalise(node.Namespace, "ip6"), v6);
    }

    [Fact]
    public async Task While_the_server_is_away_rules_stay_and_afterwards_only_what_changed_is_written()
    {
        await using var node = await ApiNode.CreateAsync();
        var random = new Random(1);
        for (var i = 0; i < 300; i++) ApiClusterChange.Make(node.Server, random);
        node.Server.Set("services", ApiObjects.Service("gone", "10.96.254.1"));
        node.Server.Set("endpointslices", ApiObjects.Slice("gone-1", "gone", ["10.244.254.1"]));
        using var proxy = await node.StartAsync();
        var before = node.Namespace.Exec("nft", "list", "ruleset");
        using var monitor = new NftMonitorProcess(node.Namespace);
        await node.Server.PauseAsync();
        node.Server.Delete("services", "default/gone"); // Nobody sees it happen.
        node.Server.Set("services", ApiObjects.Service("last", "10.96.255.1"));
        node.Server.Set("endpointslices", ApiObjects.Slice("last-1", "last", ["10.244.255.1"]));
        node.Server.Compact();

        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Duration; await Task.Delay(1000, TestContext.Current.CancellationToken))
        {
            Assert.Equal(before, node.Namespace.Exec("nft", "list", "ruleset"));
            using var live = await proxy.TryGetAsync(10256, "/livez");
            Assert.True(live?.IsSuccessStatusCode);
        }

        await node.Server.ResumeAsync();
        await WaitForLastAsync(node);
        await HostTests.EventuallyAsync(() => Task.FromResult(!node.Namespace.Exec("nft", "list", "ruleset").Contains("10.96.254.1", StringComparison.Ordinal)), RecoveryMilliseconds);
        var written = (await monitor.StopAsync()).Split('\n').Where(line => line.Contains("element", StringComparison.Ordinal) || line.Contains("rule", StringComparison.Ordinal) || line.Contains("chain", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(written);
        Assert.All(written, line => Assert.True(line.Contains("10.96.255.1", StringComparison.Ordinal) || line.Contains("10.96.254.1", StringComparison.Ordinal) || line.Contains("10.244.25", StringComparison.Ordinal), line));
    }

    private static async Task BeAwayAsync(FakeApiServer server, TimeSpan duration)
    {
        await server.PauseAsync();
        await Task.Delay(duration, TestContext.Current.CancellationToken);
        await server.ResumeAsync();
    }

    /// <summary>The last Service and its slice are in the kernel: whatever was sent before them has arrived.</summary>
    private static Task WaitForLastAsync(ApiNode node) => HostTests.EventuallyAsync(
        () => Task.FromResult(node.Namespace.Exec("nft", "list", "ruleset").Contains(" : 10.244.255.1 . 8080", StringComparison.Ordinal)), RecoveryMilliseconds);

    /// <summary>Gives the node another zone and waits until the program knows.</summary>
    private static Task MoveAsync(ApiNode node, ProxyProcess proxy, string zone)
    {
        node.Server.Set("nodes", ApiClusterChange.Node(zone));
        return HostTests.EventuallyAsync(
            async () =>
            {
                using var status = await proxy.TryGetAsync(10249, "/status");
                return status is not null && (await status.Content.ReadAsStringAsync()).Contains($"\"zone\": \"{zone}\"", StringComparison.Ordinal);
            },
            RecoveryMilliseconds);
    }

    private static void AssertSame(string expected, string actual)
    {
        var (wanted, found) = (expected.Split('\n'), actual.Split('\n'));
        Assert.Equal(("", ""), (string.Join('\n', wanted.Except(found)), string.Join('\n', found.Except(wanted))));
        Assert.Equal(expected, actual);
    }

    private static async Task<(string V4, string V6)> SettledAsync(NetworkNamespace node)
    {
        var before = ("", "");
        while (true)
        {
            var now = (ProxyTable.Normalise(node), ProxyTable.Normalise(node, "ip6"));
            if (now == before) return now;
            before = now;
            await Task.Delay(2000, TestContext.Current.CancellationToken);
        }
    }
}
