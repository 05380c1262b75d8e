using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Rtnetlink;

public sealed class RouteClientTests
{
    private static readonly InterfaceAddress V4 = new(2, IpAddr.Parse("192.0.2.1"), 24, AddressScope.Universe, AddressFlags.Permanent);
    private static readonly InterfaceAddress V6 = new(3, IpAddr.Parse("fd00::1"), 64, AddressScope.Link, AddressFlags.Tentative);
    private static readonly PolicyRule Rule = new(IpFamily.IPv6, Mark: 1, Mask: 1, Table: 1000, Priority: 60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Addresses_are_listed_anew_when_the_dump_was_disturbed()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            var sequence = ScriptedReply.Headers(sent)[0].Sequence;
            using var answer = new NlMsgWriter();
            foreach (var address in new[] { V4, V6 }) RouteEncoder.PutAddress(answer, RtMessage.NewAddress, NlMsgFlags.Multi, address);
            return [ScriptedReply.Messages(sequence, answer),
                ScriptedReply.Done(sequence, flags: sequence == 1 ? NlMsgFlags.DumpInterrupted : NlMsgFlags.None)];
        });
        using var client = new RouteClient(new NetlinkChannel(transport), () => throw new InvalidOperationException());

        Assert.Equal([V4, V6], await client.ListAddressesAsync(cancellationToken: Ct));
        Assert.Equal(2, transport.Sent.Count);
    }

    [Fact]
    public void Of_a_point_to_point_link_the_own_address_counts()
    {
        // | family, prefix length, flags, scope | interface | IFA_ADDRESS: the peer's | IFA_LOCAL: the own |
        byte[] body = [2, 32, 0x80, 0, 7, 0, 0, 0, 8, 0, 1, 0, 10, 0, 0, 2, 8, 0, 2, 0, 10, 0, 0, 1];
        InterfaceAddress? decoded = null;
        foreach (var message in new NlMessages(ScriptedReply.Message(20, NlMsgFlags.None, 1, body))) decoded = RouteDecoder.DecodeAddress(message);
        Assert.Equal(new InterfaceAddress(7, IpAddr.Parse("10.0.0.1"), 32, AddressScope.Universe, AddressFlags.Permanent), decoded);
    }

    [Fact]
    public async Task A_subscription_tells_of_changes_and_losses()
    {
        var notifications = new ScriptedNetlinkTransport(_ => []);
        using var requests = new ScriptedNetlinkTransport(_ => []);
        using var client = new RouteClient(new NetlinkChannel(requests), () => notifications);
        using var subscription = client.Subscribe(routes: true);
        Assert.Equal([1u, 5u, 7u, 8u, 9u, 11u, 19u], notifications.Groups.Order());
        using var writer = new NlMsgWriter();
        RouteEncoder.PutAddress(writer, RtMessage.NewAddress, NlMsgFlags.None, V4);
        RouteEncoder.PutAddress(writer, RtMessage.DeleteAddress, NlMsgFlags.None, V6);
        RouteEncoder.PutNewLink(writer, "d0", "dummy");
        RouteEncoder.PutRule(writer, RtMessage.NewRule, NlMsgFlags.None, Rule);
        RouteEncoder.PutRule(writer, RtMessage.DeleteRule, NlMsgFlags.None, Rule);
        RouteEncoder.PutLocalDefault(writer, RtMessage.NewRoute, NlMsgFlags.None, IpFamily.IPv4, 27504);
        RouteEncoder.PutLocalDefault(writer, RtMessage.DeleteRoute, NlMsgFlags.None, IpFamily.IPv4, 27504);
        notifications.Push(writer.ToArray());
        notifications.PushOverrun();
        List<RouteChange> seen = [];

        await foreach (var change in subscription.ReadAsync(Ct))
        {
            seen.Add(change);
            if (change is RouteChange.Lost) break;
        }

        Assert.Equal([
            new RouteChange.AddressSet(V4), new RouteChange.AddressRemoved(V6),
            new RouteChange.LinkSet(new NetworkLink(0, "d0", "dummy", LinkFlags.None)),
            new RouteChange.RuleRemoved(IpFamily.IPv6), new RouteChange.RouteRemoved(IpFamily.IPv4, 27504), new RouteChange.Lost()], seen);
    }

    [Fact]
    public async Task Local_addresses_follow_the_kernel()
    {
        using var route = new InMemoryRoute();
        var loopback = new InterfaceAddress(1, IpAddr.Parse("127.0.0.1"), 8, AddressScope.Host);
        await route.AddAddressAsync(loopback, Ct);
        var changed = new SemaphoreSlim(0);
        await using var local = await LocalAddresses.StartAsync(route, () => changed.Release(), cancellationToken: Ct);
        Assert.True(local.Contains(loopback.Address));

        var second = loopback with { Address = IpAddr.Parse("192.0.2.1") };
        await route.AddAddressAsync(second, Ct);
        await changed.WaitAsync(Ct);
        Assert.True(local.Contains(second.Address));

        await route.DeleteAddressAsync(loopback, Ct);
        await changed.WaitAsync(Ct);
        Assert.Equal([second.Address], local.Current);
        Assert.Equal(1, route.Dumps);
    }

    [Fact]
    public async Task Local_addresses_are_read_again_after_a_loss()
    {
        using var route = new InMemoryRoute();
        var changed = new SemaphoreSlim(0);
        await using var local = await LocalAddresses.StartAsync(route, () => changed.Release(), cancellationToken: Ct);
        using (route.Silence()) await route.AddAddressAsync(V4 with { InterfaceIndex = 1 }, Ct);
        Assert.Empty(local.Current);

        route.LoseNotifications();
        await changed.WaitAsync(Ct);

        Assert.Equal([V4.Address], local.Current);
        Assert.Equal(2, route.Dumps);
    }

    [Fact]
    public async Task An_address_on_two_interfaces_stays_local_until_both_lose_it()
    {
        using var route = new InMemoryRoute();
        await route.AddLinkAsync("d0", "dummy", Ct);
        var changed = new SemaphoreSlim(0);
        await using var local = await LocalAddresses.StartAsync(route, () => changed.Release(), cancellationToken: Ct);
        await route.AddAddressAsync(V4 with { InterfaceIndex = 1 }, Ct);
        await changed.WaitAsync(Ct);
        await route.AddAddressAsync(V4 with { InterfaceIndex = 2 }, Ct);
        await route.DeleteAddressAsync(V4 with { InterfaceIndex = 1 }, Ct);
        await route.AddAddressAsync(V6 with { InterfaceIndex = 1 }, Ct); // shows that the deletion was seen
        await changed.WaitAsync(Ct);
        Assert.Contains(V4.Address, local.Current);

        await route.DeleteLinkAsync(2, Ct);
        await changed.WaitAsync(Ct);
        Assert.Equal([V6.Address], local.Current);
    }
}
