using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;

namespace KubeProxy.Netfilter.Tests.Cases;

/// <summary>
/// The cases of <c>tests/conformance/random</c>: random objects of a cluster, and the rules that upstream v1.36.2 had for them in
/// iptables mode. See the README there for the settings.
/// </summary>
internal static class RandomCases
{
    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Random");

    public static TheoryData<string> Names() =>
        [.. System.IO.Directory.GetFiles(Directory, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    /// <summary>The node that the rules are for.</summary>
    public static ProxyOptions Options { get; } = new() { NodeName = "test-node", NodeAddresses = [IpAddr.Parse("192.168.0.2")] };

    public static MasqueradePolicy Masquerade(IpFamily family) =>
        new() { LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse(family == IpFamily.IPv4 ? "10.0.0.0/8" : "fd00:10::/64")) };

    public static string[] Rules(string name) => File.ReadAllLines(Path.Combine(Directory, name + ".rules.txt"));

    public static IReadOnlyList<KubernetesObject> Objects(string name) =>
    [
        .. new KubernetesObjectReader().ReadDocument(File.ReadAllBytes(Path.Combine(Directory, name + ".json")))
            .Select(item => item.Object ?? throw new InvalidDataException($"{name}: {item.Error?.Message}")),
    ];

    /// <summary>What is wanted of a backend of the family.</summary>
    public static async Task<PlanChanges> PlanAsync(string name, IpFamily family) => (await Fed.Async(new NoBackend(family), Options, [Objects(name)])).Changes[0];

    /// <summary>The objects in another order, in portions.</summary>
    public static IReadOnlyList<IReadOnlyList<KubernetesObject>> Shuffled(string name)
    {
        var objects = Objects(name).ToArray();
        new Random(name.Aggregate(0, (hash, c) => (hash * 31) + c)).Shuffle(objects);
        return [.. objects.Chunk(4)];
    }

    private sealed class NoBackend(IpFamily family) : IProxyBackend
    {
        public IpFamily Family => family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken) => Task.FromResult(new SyncResult());

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
