using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Tests.Iptables;

/// <summary>
/// The rules of recorded cases are those that upstream v1.36.2 had, as iptables-save showed them. (In chains where each service
/// adds a block of its own, the order between services is free; canaries and policies are left out.)
/// </summary>
public class RecordedRulesTests
{
    private static readonly string[] FreeOrder = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL"];
    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Iptables", "Recorded");

    public static TheoryData<string> Cases() =>
        [.. System.IO.Directory.GetFiles(Directory, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Rules_are_upstreams(string name)
    {
        using var input = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Directory, name + ".json"), TestContext.Current.CancellationToken));
        var expected = Read(await File.ReadAllLinesAsync(Path.Combine(Directory, name + ".rules.txt"), TestContext.Current.CancellationToken));
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            await using var harness = await RunAsync(input.RootElement, family);
            foreach (var table in new[] { IptablesTable.Nat, IptablesTable.Filter })
                Compare(expected[(family, table)], await IptablesHarness.SaveAsync(harness.Nftables, family, table));
        }
    }

    private static async Task<IptablesHarness> RunAsync(JsonElement input, IpFamily family)
    {
        var policy = new MasqueradePolicy
        {
            All = input.GetProperty("masqueradeAll").GetBoolean(),
            LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse(family == IpFamily.IPv4 ? "10.244.0.0/16" : "fd00:10:244::/48")),
        };
        var harness = IptablesHarness.Create(family: family, masquerade: policy, accounting: true);
        var synced = new FirstSync(harness.Backend);
        using var engine = new ProxyEngine(new ProxyOptions { NodeName = "node1" }, [synced]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var source = new InMemoryProxySource();
        var reader = new KubernetesObjectReader();
        source.Set([.. input.GetProperty("objects").EnumerateArray().Select(value => reader.Read(KindOf(value), value))]);
        var running = engine.RunAsync(stop.Token);
        var feeding = source.RunAsync(engine, stop.Token);
        if (await Task.WhenAny(synced.Done, running) == synced.Done) await await synced.Done;
        else await running;
        await stop.CancelAsync();
        await Task.WhenAll(running, feeding).ContinueWith(_ => { }, TaskScheduler.Default);
        return harness;
    }

    private static ObjectKind KindOf(JsonElement value) => Enum.Parse<ObjectKind>(value.GetProperty("kind").GetString()!);

    private static Dictionary<(IpFamily, IptablesTable), SortedDictionary<string, List<string>>> Read(string[] lines)
    {
        var result = new Dictionary<(IpFamily, IptablesTable), SortedDictionary<string, List<string>>>();
        var family = IpFamily.IPv4;
        SortedDictionary<string, List<string>> chains = [];
        foreach (var line in lines)
        {
            if (line.StartsWith("# IPv", StringComparison.Ordinal)) family = Enum.Parse<IpFamily>(line.Split(' ')[1]);
            else if (line.StartsWith('*')) result.Add((family, Enum.Parse<IptablesTable>(line[1..], ignoreCase: true)), chains = new(StringComparer.Ordinal));
            else if (line.StartsWith(':')) chains.Add(line[1..].Split(' ')[0], []);
            else if (line.StartsWith("-A ", StringComparison.Ordinal)) chains[line.Split(' ')[1]].Add(line);
        }

        return result;
    }

    private static void Compare(SortedDictionary<string, List<string>> expected, SortedDictionary<string, List<string>> actual)
    {
        Assert.Equal(expected.Keys.Where(IsKube), actual.Keys.Where(IsKube));
        foreach (var (chain, rules) in expected)
        {
            var found = actual.TryGetValue(chain, out var lines) ? lines : [];
            if (!FreeOrder.Contains(chain))
            {
                Assert.Equal(rules, found);
                continue;
            }

            Assert.Equal(rules.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
            if (rules is [.., var last] && last.Contains("must be the last rule", StringComparison.Ordinal)) Assert.Equal(last, found[^1]);
        }

        static bool IsKube(string chain) => chain.StartsWith("KUBE-", StringComparison.Ordinal);
    }

    /// <summary>Tells when the first sync is done.</summary>
    private sealed class FirstSync(IProxyBackend inner) : IProxyBackend
    {
        private readonly TaskCompletionSource<Task> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Task> Done => _done.Task;

        public IpFamily Family => inner.Family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => inner.StartAsync(requestSync, cancellationToken);

        public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
        {
            var result = inner.SyncAsync(changes, cancellationToken);
            await ((Task)result).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _done.TrySetResult(result);
            return await result;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
