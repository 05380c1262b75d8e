using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Netfilter.Tests.Conntrack;

/// <summary>What every <see cref="IConntrack"/> does: the kernel's and the one in memory. Compiled into both test programs.</summary>
public abstract class ConntrackContract
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract IConntrack Conntrack { get; }

    /// <summary>Makes an entry without translation.</summary>
    protected abstract void Insert(Protocol protocol, string from, ushort fromPort, string to, ushort port, uint mark = 0);

    [Fact]
    public async Task Only_flows_asked_for_are_visited()
    {
        Insert(Protocol.Udp, "10.0.0.1", 1000, "10.96.0.10", 53, mark: 1);
        Insert(Protocol.Udp, "10.0.0.1", 1000, "10.96.0.11", 53, mark: 3);
        Insert(Protocol.Udp, "10.0.0.1", 1001, "10.96.0.10", 54);
        Insert(Protocol.Tcp, "10.0.0.1", 1000, "10.96.0.10", 53);
        Insert(Protocol.Udp, "fd00::1", 1000, "fd00:96::10", 53);
        var udp = new FlowFilter { Protocol = Protocol.Udp };

        Assert.Equal(5, (await ListAsync(FlowFilter.All)).Count);
        Assert.Equal(4, (await ListAsync(udp)).Count);
        Assert.Equal(3, (await ListAsync(udp with { Family = IpFamily.IPv4 })).Count);
        Assert.Equal(2, (await ListAsync(udp with { Family = IpFamily.IPv4, OriginalDestinationPort = 53 })).Count);
        Assert.Equal(4, (await ListAsync(new FlowFilter { OriginalDestinationPort = 53 })).Count);
        Assert.Equal(2, (await ListAsync(udp with { OriginalDestination = IpAddr.Parse("10.96.0.10") })).Count);
        Assert.Single(await ListAsync(udp with { OriginalDestination = IpAddr.Parse("10.96.0.10"), OriginalDestinationPort = 54 }));
        Assert.Single(await ListAsync(udp with { OriginalDestination = IpAddr.Parse("fd00:96::10") }));
        Assert.Single(await ListAsync(new FlowFilter { Mark = 2, MarkMask = 2 }));
        Assert.Single(await ListAsync(new FlowFilter { Mark = 1 }));
    }

    [Fact]
    public async Task Exactly_the_given_flow_is_deleted()
    {
        Insert(Protocol.Udp, "10.0.0.1", 1000, "10.96.0.10", 53);
        Insert(Protocol.Udp, "10.0.0.1", 1001, "10.96.0.10", 53);
        Insert(Protocol.Udp, "fd00::1", 1000, "fd00:96::10", 53);
        var flows = await ListAsync(FlowFilter.All);
        var victim = Assert.Single(flows, flow => flow.Original.SourcePort == 1001);

        Assert.Equal(0, await Conntrack.DeleteAsync([victim with { Id = victim.Id + 1 }], Ct));
        Assert.Equal(0, await Conntrack.DeleteAsync([victim with { Zone = 5 }], Ct));
        Assert.Equal(3, (await ListAsync(FlowFilter.All)).Count);
        Assert.Equal(1, await Conntrack.DeleteAsync([victim], Ct));
        Assert.Equal(0, await Conntrack.DeleteAsync([victim], Ct));
        Assert.Equal(2, (await ListAsync(FlowFilter.All)).Count);
        Assert.Equal(2, await Conntrack.DeleteAsync([victim, .. flows.Where(flow => flow != victim).Select(flow => flow with { Id = 0 })], Ct));
        Assert.Empty(await ListAsync(FlowFilter.All));
    }

    [Fact]
    public async Task A_flow_is_found_by_its_answers()
    {
        Insert(Protocol.Udp, "10.0.0.1", 1000, "10.96.0.10", 53);
        Insert(Protocol.Tcp, "fd00::1", 1001, "fd00:96::10", 80);
        foreach (var flow in await ListAsync(FlowFilter.All)) Assert.Equal(flow, await Conntrack.FindByReplyAsync(flow.Reply, Ct));
        Assert.Null(await Conntrack.FindByReplyAsync(
            new FlowTuple(Protocol.Udp, IpAddr.Parse("10.96.0.10"), IpAddr.Parse("10.0.0.1"), 53, 1001), Ct));
    }

    protected async Task<List<Flow>> ListAsync(FlowFilter filter)
    {
        List<Flow> flows = [];
        await Conntrack.VisitAsync(filter, (in Flow flow) => flows.Add(flow), flows.Clear, Ct);
        return flows;
    }
}
