using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Netlink;

public sealed class NetlinkSocketTests : IDisposable
{
    private const ushort GetLink = 18; // RTM_GETLINK
    private const ushort GetAddress = 22; // RTM_GETADDR
    private const uint AddressGroup = 5; // RTNLGRP_IPV4_IFADDR
    private const uint NftablesGroup = 7; // NFNLGRP_NFTABLES
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _ns.Dispose();

    [Fact]
    public async Task A_dump_sees_the_links_of_the_namespace_it_was_opened_in()
    {
        _ns.Exec("ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1");
        using var channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Route));
        List<string> names = [];
        using var request = Request(GetLink, 16);

        await channel.DumpAsync("list links", request, message =>
        {
            Assert.True(message.Attributes(16).TryFind(LinkAttribute.Name, out var name));
            names.Add(name.Text());
        }, cancellationToken: Ct);

        Assert.Equal(["d0", "d1", "lo"], names.Order());
        Assert.Equal(new NetlinkCounters(1, 1, 32, 0), channel.Counters);
    }

    [Fact]
    public async Task A_refusal_carries_the_kernels_own_words()
    {
        using var channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Route));
        using var request = Request(GetLink, 16);
        request.PutString(LinkAttribute.Name, "not-there");

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.GetAsync("find link not-there", request, _ => { }, Ct));

        Assert.Equal(Errno.NoSuchDevice, error.Errno);
    }

    [Fact]
    public async Task Strict_dumps_refuse_what_the_kernel_does_not_understand()
    {
        using var channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Route));
        using var request = Request(GetAddress, 8);
        request.PutU32((LinkAttribute)77, 1);

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.DumpAsync("list", request, _ => { }, cancellationToken: Ct));

        Assert.Equal(Errno.InvalidArgument, error.Errno);
        Assert.NotNull(error.KernelMessage);
    }

    [Fact]
    public async Task A_dump_given_up_half_way_does_not_block_the_next()
    {
        _ns.Exec("sh", "-c", "for i in $(seq 1 250); do for j in 1 2 3 4; do echo address add 10.$j.$i.1/24 dev lo; done; done | ip -batch -");
        using var channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Route));
        using var request = Request(GetAddress, 8);
        await Assert.ThrowsAsync<TimeoutException>(
            () => channel.DumpAsync("list", request, _ => throw new TimeoutException(), cancellationToken: Ct));

        var count = 0;
        await channel.DumpAsync("list", request, _ => count++, () => count = 0, Ct);

        Assert.InRange(count, 1001, 1003);
    }

    [Fact]
    public async Task Notifications_are_awaited()
    {
        using var subscription = _ns.Run(() => NetlinkSubscription.Open(NetlinkProtocol.Route, null, AddressGroup));
        await using var notifications = subscription.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        for (var i = 1; i < 20; i++)
        {
            var next = notifications.MoveNextAsync();
            Assert.False(next.IsCompleted);
            _ns.Exec("ip", "address", "add", $"10.9.8.{i}/24", "dev", "lo");
            Assert.True(await next);
            Assert.Equal(20, Types(notifications.Current)[0]); // RTM_NEWADDR
        }
    }

    [Fact]
    public async Task Waiting_can_be_cancelled_and_taken_up_again()
    {
        using var socket = _ns.Run(() => NetlinkSocket.Open(NetlinkProtocol.Route));
        socket.Join(AddressGroup);
        var buffer = new byte[65536];
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var waiting = socket.ReceiveAsync(buffer, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        _ns.Exec("ip", "address", "add", "10.9.8.7/24", "dev", "lo");

        Assert.InRange(await socket.ReceiveAsync(buffer, Ct), 16, 65536);
    }

    [Fact]
    public async Task Disposal_ends_the_wait()
    {
        var socket = _ns.Run(() => NetlinkSocket.Open(NetlinkProtocol.Route));
        var waiting = socket.ReceiveAsync(new byte[65536], Ct).AsTask();
        socket.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    [Fact]
    public async Task A_full_receive_buffer_is_reported_and_the_subscription_goes_on()
    {
        using var subscription = _ns.Run(() => NetlinkSubscription.Open(
            NetlinkProtocol.Route, new NetlinkSocketOptions { ReceiveBuffer = 2048 }, AddressGroup));
        await using var notifications = subscription.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        _ns.Exec("sh", "-c", "for i in $(seq 1 200); do echo address add 10.9.$i.1/24 dev lo; done | ip -batch -");

        Assert.True(await notifications.MoveNextAsync());
        Assert.True(notifications.Current.IsOverflow);
        var next = notifications.MoveNextAsync();
        Assert.False(next.IsCompleted);
        _ns.Exec("ip", "address", "del", "10.9.9.1/24", "dev", "lo");

        Assert.True(await next);
        Assert.Equal([(ushort)21], Types(notifications.Current)); // RTM_DELADDR
    }

    [Fact]
    public async Task Own_changes_can_be_filtered_out_in_the_kernel()
    {
        const ushort NewGeneration = 0xA0F; // NFT_MSG_NEWGEN
        using var channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Netfilter));
        using var subscription = _ns.Run(() => NetlinkSubscription.Open(NetlinkProtocol.Netfilter,
            new NetlinkSocketOptions { Filter = new NetlinkNotificationFilter(channel.PortId, NewGeneration) }, NftablesGroup));
        using var batch = new NlMsgWriter();
        batch.PutBatchBegin(NfSubsystem.Nftables);
        batch.BeginMessage(NfSubsystem.Nftables, 0, NlMsgFlags.Create, family: 2); // NFT_MSG_NEWTABLE
        batch.PutString((LinkAttribute)1, "own");
        batch.PutBatchEnd(NfSubsystem.Nftables);
        Assert.True((await channel.ExecuteBatchAsync("add table", batch, Ct)).Succeeded);
        _ns.Exec("nft", "add", "table", "foreign");
        List<(ushort Type, bool IsOwn)> seen = [];

        await foreach (var notification in subscription.ReadAsync(Ct))
        {
            foreach (var message in notification.Messages) seen.Add((message.Header.Type, message.Header.PortId == channel.PortId));
            if (seen.Count(message => message.Type == NewGeneration) == 2) break;
        }

        Assert.Equal([(NewGeneration, true), ((ushort)0xA00, false), (NewGeneration, false)], seen);
    }

    [Fact]
    public void An_unknown_protocol_is_explained()
    {
        var error = Assert.Throws<NetlinkException>(() => NetlinkSocket.Open((NetlinkProtocol)31));
        Assert.Equal(Errno.ProtocolNotSupported, error.Errno);
        Assert.Contains("lacks CONFIG_X (module x", NetlinkPreflight.Explain(error, "x", "CONFIG_X", "x"), StringComparison.Ordinal);
    }

    private enum LinkAttribute : ushort
    {
        Name = 3, // IFLA_IFNAME
    }

    private static NlMsgWriter Request(ushort type, int bodyLength)
    {
        var writer = new NlMsgWriter();
        writer.BeginMessage(type, NlMsgFlags.None);
        writer.ReserveBody(bodyLength);
        return writer;
    }

    private static List<ushort> Types(NetlinkNotification notification)
    {
        List<ushort> types = [];
        foreach (var message in notification.Messages) types.Add(message.Header.Type);
        return types;
    }
}
