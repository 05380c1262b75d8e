using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Tests.Cases;

/// <summary>
/// Rules as iptables-save shows them, table by table and chain by chain. In chains where each service adds a block of its own, the
/// order between services is free. Canaries and policies are left out.
/// </summary>
internal sealed class RecordedRules
{
    private static readonly string[] FreeOrder = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL"];

    private readonly Dictionary<(IpFamily, IptablesTable), SortedDictionary<string, List<string>>> _tables = [];

    /// <summary>The chains of a table with their rules.</summary>
    public SortedDictionary<string, List<string>> this[IpFamily family, IptablesTable table] => _tables[(family, table)];

    /// <summary>Reads what is recorded of both families; each table has a line that names the family before it.</summary>
    public static RecordedRules Read(IEnumerable<string> lines)
    {
        var result = new RecordedRules();
        var family = IpFamily.IPv4;
        SortedDictionary<string, List<string>> chains = [];
        foreach (var line in lines)
        {
            if (line.StartsWith("# IPv", StringComparison.Ordinal)) family = Enum.Parse<IpFamily>(line.Split(' ')[1]);
            else if (line.StartsWith('*')) result._tables.Add((family, Enum.Parse<IptablesTable>(line[1..], ignoreCase: true)), chains = new(StringComparer.Ordinal));
            else if (line.StartsWith(':')) chains.Add(line[1..].Split(' ')[0], []);
            else if (line.StartsWith("-A ", StringComparison.Ordinal)) chains[line.Split(' ')[1]].Add(line);
        }

        return result;
    }

    /// <summary>Fails where a table is not as recorded.</summary>
    public static void AssertEqual(SortedDictionary<string, List<string>> expected, SortedDictionary<string, List<string>> actual)
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

        static bool IsKube(string chain) => chain.StartsWith("KUBE-", StringComparison.Ordinal) && !chain.Contains("CANARY", StringComparison.Ordinal);
    }
}
