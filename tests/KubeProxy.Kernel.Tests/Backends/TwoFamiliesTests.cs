using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Both families over one connection, as in the program: the ruleset has one generation for both.</summary>
public sealed class TwoFamiliesTests
{
    private const int Services = 1500;
    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Families_that_start_at_once_do_not_make_each_other_late()
    {
        using var alone = NetworkNamespace.Create();
        long expected = 0;
        foreach (var family in Families)
        {
            await using var connection = Open(alone);
            await SyncAsync(alone, connection, family);
            expected += connection.Client.Counters.WriteMessages;
        }

        using var together = NetworkNamespace.Create();
        await using var shared = Open(together);
        await Task.WhenAll(Families.Select(family => Task.Run(() => SyncAsync(together, shared, family), Cancel)));
        // A transaction that came too late would have been sent again.
        Assert.Equal(expected, shared.Client.Counters.WriteMessages);
    }

    private static NftablesConnection Open(NetworkNamespace ns) => ns.Run(NftablesConnection.Open);

    private static NftablesBackend Backend(NetworkNamespace ns, NftablesConnection connection, IpFamily family) => ns.Run(() => new NftablesBackend(
        new NftablesBackendOptions { Family = family, Masquerade = Plans.Policy(family), ColdStartTransactionSize = 500 },
        NftablesBackendParts.Open(connection, family),
        NullLogger<NftablesBackend>.Instance));

    private static async Task SyncAsync(NetworkNamespace ns, NftablesConnection connection, IpFamily family)
    {
        await using var backend = Backend(ns, connection, family);
        await ns.Run(() => backend.StartAsync(_ => { }, Cancel));
        var plans = new PlanChanges { Node = Plans.Node(family), Updated = [.. Enumerable.Range(0, Services).Select(i => Plan(family, i))] };
        Assert.Equal(0, (await backend.SyncAsync(plans, Cancel)).Repaired);
    }

    private static ServicePortPlan Plan(IpFamily family, int i)
    {
        var isIPv4 = family == IpFamily.IPv4;
        string Address(string ipv4, string ipv6, int n) => isIPv4 ? $"{ipv4}.{n / 250}.{(n % 250) + 1}" : $"{ipv6}::{n + 1:x}";
        return new ServicePortPlan
        {
            Name = Plans.Name($"s{i}"),
            Family = family,
            Frontends = [Plans.Frontend(FrontendKind.ClusterIP, Address("10.96", "fd00:10:96", i), 80, Destination.ClusterEndpoints)],
            ClusterEndpoints = [.. Enumerable.Range(0, 5).Select(e => new IpEndpoint(IpAddr.Parse(Address("10.244", "fd00:10:244", (i * 5) + e)), 8080))],
        };
    }
}
