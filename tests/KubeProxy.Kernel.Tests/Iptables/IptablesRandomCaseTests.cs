using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Tests.Cases;

namespace KubeProxy.Kernel.Tests.Iptables;

/// <summary>The rules for random objects of a cluster, as iptables-save shows them, are those that upstream v1.36.2 had.</summary>
public sealed class IptablesRandomCaseTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Rules_of_random_objects_are_upstreams(IpFamily family)
    {
        using var ns = IptablesNode.CreateNamespace();
        List<string> wrong = [];
        foreach (var name in RandomCases.Names().Select(row => row.Data))
        {
            // Each starts on the rules of the one before, and has to remove them.
            await using var node = new IptablesNode(ns, family, ownsNamespace: false, masquerade: RandomCases.Masquerade(family));
            var fed = await Fed.Async(node.Backend, RandomCases.Options, [RandomCases.Objects(name)]);
            Assert.All(fed.Results, result => Assert.Empty(result.Quarantined));
            var expected = RecordedRules.Read(RandomCases.Rules(name));
            var actual = RecordedRules.Read([$"# {family}", .. ns.Exec(node.Tool("-save")).Split('\n').Where(line => !line.StartsWith('#'))]);
            if (Difference(family, expected, actual) is { } difference) wrong.Add($"{name}: {difference}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static string? Difference(IpFamily family, RecordedRules expected, RecordedRules actual)
    {
        try
        {
            foreach (var table in new[] { IptablesTable.Nat, IptablesTable.Filter })
                RecordedRules.AssertEqual(expected[family, table], actual[family, table]);
            return null;
        }
        catch (Xunit.Sdk.XunitException e)
        {
            return e.Message;
        }
    }
}
