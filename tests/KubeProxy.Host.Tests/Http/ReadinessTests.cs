using System.Text;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Http;

namespace KubeProxy.Host.Tests.Http;

public sealed class ReadinessTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Rival Legacy = new("rules of iptables-legacy", "nat KUBE-SERVICES", CanWin: true, "Stop it.");
    private static readonly FamilyStatus Well = new() { Family = IpFamily.IPv4, Syncs = 3, IsCurrent = true };

    private static QuarantinedOwner Refused(int i) => new(new ServicePortName(new NamespacedName("default", $"web{i}"), "http", Protocol.Tcp), "x", default);

    private static ProxyStatus Status(FamilyStatus family, params ObjectKind[] synced) => new()
    {
        NodeName = "node1", Synced = synced, Counts = new ProxyCounts(), Problems = [], Families = [family],
    };

    private static ProxyHealthReport Health(bool isHealthy = true) => new()
    {
        CurrentTime = Now,
        LastUpdated = Now,
        Healthy = isHealthy,
        NodeEligible = true,
        Families = new Dictionary<IpFamily, FamilyHealth> { [IpFamily.IPv4] = new(Now, isHealthy) { WaitingSince = isHealthy ? null : Now.AddSeconds(-61) } },
    };

    /// <summary>The proxy is healthy, and busy.</summary>
    private static ProxyHealthReport Slow => Health() with
    {
        Families = new Dictionary<IpFamily, FamilyHealth> { [IpFamily.IPv4] = new(Now, true) { WaitingSince = Now.AddSeconds(-61), IsLate = true } },
    };

    private static string DoubtsOf(ProxyStatus status, bool isHealthy = true, params Rival[] rivals) => string.Join(';', Doubts.Of(status, Health(isHealthy), rivals));

    public static TheoryData<string, string> States { get; } = new()
    {
        { "well", "" },
        { "new", "IPv4: the first sync is not done yet, without the list of Services and EndpointSlices" },
        { "listed", "IPv4: the first sync is not done yet" },
        { "refused at first", "IPv4: the first sync is not done yet: no" },
        { "failed", "IPv4: the last sync failed: no" },
        { "late", "IPv4: a change has waited since 2026-01-02T03:03:04Z" },
        { "slow", "IPv4: a change has waited since 2026-01-02T03:03:04Z" },
        { "pending", "IPv4: long lists of endpoints are still being written (2)" },
        { "touched", "IPv4: the rules were changed by others and are being repaired" },
        { "repaired twice", "" },
        {
            "fight",
            "IPv4: the rules were changed by others and repaired 3 times in the last two minutes (last: the nftables table was changed by nft (pid 7)). "
            + "It may be that two proxies run on this node"
        },
        { "quarantined", "IPv4: refused and left out: default/web0:http" },
        { "all quarantined", "IPv4: refused and left out: default/web0:http, default/web1:http, default/web2:http, default/web3:http, default/web4:http and 2 more" },
        { "rival", "rules of iptables-legacy (nat KUBE-SERVICES) can win over those of this proxy. Stop it." },
        { "harmless rival", "" },
    };

    [Theory]
    [MemberData(nameof(States))]
    public void Ready_means_that_the_kernel_holds_what_was_asked_for_and_nothing_wins_over_it(string state, string doubts) => Assert.Equal(doubts, state switch
    {
        "well" => DoubtsOf(Status(Well)),
        "new" => DoubtsOf(Status(new FamilyStatus { Family = IpFamily.IPv4 })),
        "listed" => DoubtsOf(Status(new FamilyStatus { Family = IpFamily.IPv4 }, ObjectKind.Service, ObjectKind.EndpointSlice)),
        "refused at first" => DoubtsOf(Status(new FamilyStatus { Family = IpFamily.IPv4, LastError = "no" }, ObjectKind.Service, ObjectKind.EndpointSlice)),
        "failed" => DoubtsOf(Status(Well with { IsCurrent = false, LastError = "no" })),
        "late" => DoubtsOf(Status(Well), isHealthy: false),
        "slow" => string.Join(';', Doubts.Of(Status(Well), Slow, [])),
        "pending" => DoubtsOf(Status(Well with { IsCurrent = false, Pending = 2 })),
        "touched" => DoubtsOf(Status(Well with { IsCurrent = false })),
        "repaired twice" => DoubtsOf(Status(Well with { RecentRepairs = 2, LastDoubt = "the nftables table was changed by nft (pid 7)" })),
        "fight" => DoubtsOf(Status(Well with { RecentRepairs = 3, LastDoubt = "the nftables table was changed by nft (pid 7)" })),
        "quarantined" => DoubtsOf(Status(Well with { Quarantined = [Refused(0)] })),
        "all quarantined" => DoubtsOf(Status(Well with { Quarantined = [.. Enumerable.Range(0, 7).Select(Refused)] })),
        "rival" => DoubtsOf(Status(Well), true, Legacy),
        "harmless rival" => DoubtsOf(Status(Well), true, Legacy with { CanWin = false }),
        _ => "?",
    });

    [Fact]
    public void A_source_that_is_away_is_no_doubt_but_told()
    {
        var away = new ObjectProblem("", new NamespacedName("", ""), "", "No route to host", "https://server/api/v1/services");
        var status = Status(Well) with { Problems = [away, new ObjectProblem("Service", new NamespacedName("default", "web"), "spec", "is missing")] };
        Assert.Equal("", DoubtsOf(status));
        Assert.Equal([away], Doubts.OfSources(status));
    }

    [Fact]
    public void The_status_has_doubts_and_rivals()
    {
        var other = Legacy with { Subject = "another thing", CanWin = false };
        using var body = JsonDocument.Parse(StatusBody.Write("nftables", Status(Well), Health(), [Legacy, other]));
        Assert.False(body.RootElement.GetProperty("ready").GetBoolean());
        Assert.Equal([Legacy.ToString()], body.RootElement.GetProperty("doubts").EnumerateArray().Select(text => text.GetString()));
        Assert.Equal([Legacy.ToString(), other.ToString()], body.RootElement.GetProperty("rivals").EnumerateArray().Select(text => text.GetString()));
    }

    [Fact]
    public void Without_anything_programmed_a_node_is_alive_and_not_healthy()
    {
        var report = Health() with
        {
            Unprogrammed = [IpFamily.IPv4, IpFamily.IPv6],
            Families = new Dictionary<IpFamily, FamilyHealth> { [IpFamily.IPv4] = new(Now, true) { LastError = "the kernel said no" } },
        };
        Assert.EndsWith(
            ""","reasons":["IPv4: nothing has been programmed yet: the kernel said no","IPv6: nothing has been programmed yet"]}""",
            Encoding.UTF8.GetString(HealthEndpoints.Body(report, 503, true).Span), StringComparison.Ordinal);
        Assert.DoesNotContain("reasons", Encoding.UTF8.GetString(HealthEndpoints.Body(report, 200, null).Span), StringComparison.Ordinal);
    }

    [Fact]
    public void One_family_that_fails_is_named()
    {
        var report = Health(isHealthy: false) with
        {
            Families = new Dictionary<IpFamily, FamilyHealth>
            {
                [IpFamily.IPv4] = new(Now, true),
                [IpFamily.IPv6] = new(Now.AddSeconds(-70), false) { WaitingSince = Now.AddSeconds(-61), LastError = "no" },
            },
        };
        foreach (var nodeEligible in new bool?[] { null, true })
        {
            Assert.EndsWith(
                ""","reasons":["IPv6: a change has waited since 2026-01-02T03:03:04Z: no"]}""",
                Encoding.UTF8.GetString(HealthEndpoints.Body(report, 503, nodeEligible).Span), StringComparison.Ordinal);
        }
    }
}
