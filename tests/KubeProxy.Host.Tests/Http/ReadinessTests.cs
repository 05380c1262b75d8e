using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Http;

namespace KubeProxy.Host.Tests.Http;

public sealed class ReadinessTests
{
    private static readonly ServicePortName Owner = new(new NamespacedName("default", "web"), "http", Protocol.Tcp);

    private static FamilyStatus Family(long syncs, bool isCurrent) => new() { Family = IpFamily.IPv4, Syncs = syncs, IsCurrent = isCurrent };

    private static string Doubts(FamilyStatus family) => string.Join(';', StatusBody.Doubts(new ProxyStatus
    {
        NodeName = "node1", Synced = [], Counts = new ProxyCounts(), Problems = [], Families = [family with { }],
    }));

    [Fact]
    public void Ready_means_that_the_kernel_holds_what_was_asked_for()
    {
        Assert.Equal("", Doubts(Family(1, true)));
        Assert.Equal("IPv4: the first sync is not done yet", Doubts(Family(0, false)));
        Assert.Equal("IPv4: the first sync is not done yet: no", Doubts(Family(0, false) with { LastError = "no" }));
        Assert.Equal("IPv4: the last sync failed: no", Doubts(Family(3, false) with { LastError = "no" }));
        Assert.Equal("IPv4: the rules were changed by others and are being repaired", Doubts(Family(3, false)));
        Assert.Equal("IPv4: the kernel refuses default/web:http", Doubts(Family(3, true) with { Quarantined = [new QuarantinedOwner(Owner, "x", default)] }));
    }
}
