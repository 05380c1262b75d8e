using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Tests.Cases;

namespace KubeProxy.Netfilter.Tests.Iptables;

/// <summary>The rules of recorded cases are those that upstream v1.36.2 had.</summary>
public class RecordedRulesTests
{
    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Iptables", "Recorded");

    public static TheoryData<string> Cases() =>
        [.. System.IO.Directory.GetFiles(Directory, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    public static TheoryData<string> RandomNames() => RandomCases.Names();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Rules_are_upstreams(string name)
    {
        using var input = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Directory, name + ".json"), TestContext.Current.CancellationToken));
        var expected = RecordedRules.Read(await File.ReadAllLinesAsync(Path.Combine(Directory, name + ".rules.txt"), TestContext.Current.CancellationToken));
        var reader = new KubernetesObjectReader();
        KubernetesObject[] objects = [.. input.RootElement.GetProperty("objects").EnumerateArray().Select(value => reader.Read(KindOf(value), value))];
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var policy = new MasqueradePolicy
            {
                All = input.RootElement.GetProperty("masqueradeAll").GetBoolean(),
                LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse(family == IpFamily.IPv4 ? "10.244.0.0/16" : "fd00:10:244::/48")),
            };
            await using var harness = IptablesHarness.Create(family: family, masquerade: policy, accounting: true);
            await Fed.Async(harness.Backend, new ProxyOptions { NodeName = "node1" }, [objects]);
            await AssertEqualAsync(expected, harness);
        }
    }

    [Theory]
    [MemberData(nameof(RandomNames))]
    public async Task Rules_of_random_objects_are_upstreams(string name)
    {
        var expected = RecordedRules.Read(RandomCases.Rules(name));
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            await using var harness = IptablesHarness.Create(family: family, masquerade: RandomCases.Masquerade(family), accounting: true);
            // Written again and again as the objects come, which takes other ways than writing them once.
            var fed = await Fed.Async(harness.Backend, RandomCases.Options, RandomCases.Shuffled(name));
            Assert.All(fed.Results, result => Assert.Empty(result.Quarantined));
            await AssertEqualAsync(expected, harness);

            await using var restarted = IptablesHarness.Create(harness.Nftables, family, RandomCases.Masquerade(family), accounting: true);
            var adopted = await Fed.Async(restarted.Backend, RandomCases.Options, [RandomCases.Objects(name)]);
            Assert.All(adopted.Results, result => Assert.Equal(0, result.Operations));
        }
    }

    private static async Task AssertEqualAsync(RecordedRules expected, IptablesHarness harness)
    {
        foreach (var table in new[] { IptablesTable.Nat, IptablesTable.Filter })
            RecordedRules.AssertEqual(expected[harness.Backend.Family, table], await IptablesHarness.SaveAsync(harness.Nftables, harness.Backend.Family, table));
    }

    private static ObjectKind KindOf(JsonElement value) => Enum.Parse<ObjectKind>(value.GetProperty("kind").GetString()!);
}
