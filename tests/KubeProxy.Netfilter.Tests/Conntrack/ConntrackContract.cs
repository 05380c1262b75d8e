using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;

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
        foreach (var flow in await ListAsync(FlowFilter.All)) Assert.Equal(flow.Id, (await Conntrack.FindByReplyAsync(flow.Reply, Ct))?.Id);
        Assert.Null(await Conntrack.FindByReplyAsync(
            new FlowTuple(Protocol.Udp, IpAddr.Parse("10.96.0.10"), IpAddr.Parse("10.0.0.1"), 53, 1001), Ct));
    }

    [Fact]
    public async Task What_is_created_is_found_by_either_tuple_and_deleted()
    {
        var created = Untranslated(Icmp(7)) with { Mark = 5 };
        await Conntrack.CreateAsync(created, Ct);
        await Conntrack.CreateAsync(Untranslated(Icmp(8)), Ct);

        var found = Assert.NotNull(await Conntrack.FindAsync(created.Original, Ct));
        Assert.Equal((created.Original, created.Reply, 5u), (found.Original, found.Reply, found.Mark));
        Assert.NotEqual(0u, found.Id);
        Assert.InRange(Assert.NotNull(found.Timeout).TotalSeconds, 500, 600);
        Assert.Equal(found.Id, (await Conntrack.FindByReplyAsync(created.Reply, Ct))?.Id);
        Assert.Null(await Conntrack.FindAsync(created.Original with { Icmp = new FlowIcmp(9, 8, 0) }, Ct));
        Assert.Equal(Errno.Exists, (await Assert.ThrowsAsync<NetlinkException>(() => Conntrack.CreateAsync(created, Ct))).Errno);
        Assert.Equal(1, await Conntrack.DeleteAsync([found], Ct));
        Assert.Equal((ushort)8, Assert.Single(await ListAsync(FlowFilter.All)).Original.Icmp?.Id);
    }

    [Fact]
    public async Task An_entry_needs_a_timeout_and_a_reply_of_its_own()
    {
        var flow = Untranslated(Udp(1000));
        Assert.Equal(Errno.InvalidArgument,
            (await Assert.ThrowsAsync<NetlinkException>(() => Conntrack.CreateAsync(flow with { Timeout = null }, Ct))).Errno);
        await Conntrack.CreateAsync(flow, Ct);
        Assert.Equal(Errno.Exists, (await Assert.ThrowsAsync<NetlinkException>(
            () => Conntrack.CreateAsync(flow with { Original = Udp(1001) }, Ct))).Errno);
    }

    [Fact]
    public async Task Zones_keep_equal_tuples_apart_in_each_direction()
    {
        var plain = Untranslated(Udp(1000));
        await Conntrack.CreateAsync(plain, Ct);
        await Conntrack.CreateAsync(plain with { Zone = 7 }, Ct);
        await Conntrack.CreateAsync(plain with { Original = plain.Original with { Zone = 8 }, Reply = plain.Reply with { SourcePort = 54 } }, Ct);

        Assert.Null((await Conntrack.FindAsync(plain.Original, Ct))?.Original.Zone);
        Assert.Equal((ushort)7, (await Conntrack.FindAsync(plain.Original with { Zone = 7 }, Ct))?.Zone);
        Assert.Equal((ushort)8, (await Conntrack.FindAsync(plain.Original with { Zone = 8 }, Ct))?.Original.Zone);
        Assert.Null(await Conntrack.FindAsync(plain.Original with { Zone = 9 }, Ct));
        Assert.Single(await ListAsync(new FlowFilter { Zone = 0 }));
        Assert.Single(await ListAsync(new FlowFilter { Zone = 7 }));
        var inOneDirection = Assert.Single(await ListAsync(new FlowFilter { Zone = 8 }));
        Assert.Equal(1, await Conntrack.DeleteAsync([inOneDirection], Ct));
        Assert.Empty(await ListAsync(new FlowFilter { Zone = 8 }));
        Assert.Equal(2, await Conntrack.DeleteAsync(await ListAsync(FlowFilter.All), Ct));
    }

    [Fact]
    public async Task What_is_updated_changes_and_the_rest_stays()
    {
        await Conntrack.CreateAsync(Untranslated(Udp(1000)) with { Mark = 0xF0 }, Ct);
        var flow = Assert.Single(await ListAsync(FlowFilter.All));

        await Conntrack.UpdateAsync(flow, new FlowChange { Mark = 0xFF, MarkMask = 0x0F }, Ct);
        var marked = Assert.Single(await ListAsync(FlowFilter.All));
        Assert.Equal((0xFFu, flow.Status, flow.Id), (marked.Mark, marked.Status, marked.Id));
        await Conntrack.UpdateAsync(flow, new FlowChange { AddStatus = FlowStatus.SeenReply, Timeout = TimeSpan.FromSeconds(3000) }, Ct);
        var seen = Assert.Single(await ListAsync(FlowFilter.All));
        Assert.Equal((0xFFu, flow.Status | FlowStatus.SeenReply), (seen.Mark, seen.Status));
        Assert.InRange(Assert.NotNull(seen.Timeout).TotalSeconds, 2900, 3000);
        var stale = new FlowChange { AddStatus = FlowStatus.Assured };
        Assert.Equal(Errno.Busy, (await Assert.ThrowsAsync<NetlinkException>(() => Conntrack.UpdateAsync(flow, stale, Ct))).Errno);
        Assert.Equal(Errno.NoSuchEntry, (await Assert.ThrowsAsync<NetlinkException>(
            () => Conntrack.UpdateAsync(flow with { Original = Udp(1001) }, new FlowChange { Mark = 1 }, Ct))).Errno);
    }

    [Fact]
    public async Task A_flush_takes_one_family_or_all()
    {
        Insert(Protocol.Udp, "10.0.0.1", 1000, "10.96.0.10", 53);
        Insert(Protocol.Udp, "10.0.0.1", 1001, "10.96.0.10", 53);
        Insert(Protocol.Udp, "fd00::1", 1000, "fd00:96::10", 53);
        Assert.Equal(3u, (await Conntrack.CountAsync(Ct)).Entries);
        Assert.NotEqual(0u, (await Conntrack.CountAsync(Ct)).Limit);

        await Conntrack.FlushAsync(IpFamily.IPv4, Ct);
        Assert.Equal(IpFamily.IPv6, Assert.Single(await ListAsync(FlowFilter.All)).Family);
        await Conntrack.FlushAsync(cancellationToken: Ct);
        Assert.Equal(0u, (await Conntrack.CountAsync(Ct)).Entries);
    }

    [Fact]
    public async Task Each_field_of_a_filter_counts()
    {
        await Conntrack.CreateAsync(Untranslated(Udp(1000)), Ct);
        await Conntrack.CreateAsync(Untranslated(Udp(1001)), Ct);
        await Conntrack.CreateAsync(Untranslated(Icmp(7)), Ct);
        await Conntrack.CreateAsync(Untranslated(Icmp(8)), Ct);
        var v4 = new FlowFilter { Family = IpFamily.IPv4 };

        Assert.Equal(4, (await ListAsync(v4 with { OriginalSource = IpAddr.Parse("10.0.0.1") })).Count);
        Assert.Empty(await ListAsync(v4 with { OriginalSource = IpAddr.Parse("10.0.0.2") }));
        Assert.Single(await ListAsync(v4 with { Protocol = Protocol.Udp, OriginalSourcePort = 1001 }));
        Assert.Equal(2, (await ListAsync(v4 with { ReplySource = IpAddr.Parse("10.96.0.10") })).Count);
        Assert.Equal(4, (await ListAsync(v4 with { ReplyDestination = IpAddr.Parse("10.0.0.1") })).Count);
        Assert.Empty(await ListAsync(v4 with { ReplyDestination = IpAddr.Parse("10.0.0.2") }));
        Assert.Equal(2, (await ListAsync(v4 with { Protocol = Protocol.Udp, ReplySourcePort = 53 })).Count);
        Assert.Single(await ListAsync(v4 with { Protocol = Protocol.Udp, ReplyDestinationPort = 1000 }));
        Assert.Single(await ListAsync(v4 with { ReplyDestinationPort = 1000 }));
        Assert.Single(await ListAsync(v4 with { Protocol = Protocol.Udp, OriginalSourcePort = 1000, ReplyDestinationPort = 1000 }));
        Assert.Empty(await ListAsync(v4 with { Protocol = Protocol.Udp, OriginalSourcePort = 1000, ReplyDestinationPort = 1001 }));
        Assert.Equal(2, (await ListAsync(v4 with { Protocol = FlowProtocols.Icmp, IcmpType = 8, IcmpCode = 0 })).Count);
        Assert.Single(await ListAsync(v4 with { Protocol = FlowProtocols.Icmp, IcmpId = 7 }));
        Assert.Empty(await ListAsync(v4 with { Protocol = FlowProtocols.Icmp, IcmpType = 3 })); // of errors there are no flows
        Assert.Equal(4, (await ListAsync(v4)).Count);
    }

    private static Flow Untranslated(FlowTuple original) =>
        new(original, original.Reverse(), FlowStatus.Confirmed, 0, 0, 0) { Timeout = TimeSpan.FromSeconds(600) };

    private static FlowTuple Udp(ushort port) => new(Protocol.Udp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.96.0.10"), port, 53);

    private static FlowTuple Icmp(ushort id) =>
        new(FlowProtocols.Icmp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.0.0.9"), 0, 0) { Icmp = new FlowIcmp(id, 8, 0) };

    protected async Task<List<Flow>> ListAsync(FlowFilter filter)
    {
        List<Flow> flows = [];
        await Conntrack.VisitAsync(filter, (in Flow flow) => flows.Add(flow), flows.Clear, Ct);
        return flows;
    }
}
