using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NetlinkChannelTests
{
    private const ushort Object = 0x0A03; // NFT_MSG_NEWCHAIN: a type whose low bits look like DONE

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_stamped_and_acknowledged()
    {
        using var transport = new ScriptedNetlinkTransport(sent => [ScriptedReply.Ack(ScriptedReply.Headers(sent)[0])]);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();

        await channel.ExecuteAsync("first", request, Ct);
        await channel.ExecuteAsync("second", request, Ct);

        var headers = transport.Sent.SelectMany(ScriptedReply.Headers).ToList();
        Assert.Equal([1u, 2u], headers.Select(header => header.Sequence));
        Assert.All(headers, header => Assert.Equal(NlMsgFlags.Request | NlMsgFlags.Ack, header.Flags));
        Assert.Equal(new NetlinkCounters(2, 2, 40, 2), channel.Counters);
    }

    [Fact]
    public async Task A_refusal_says_what_the_kernel_said()
    {
        using var tlvs = new NlMsgWriter();
        tlvs.BeginMessage(0, NlMsgFlags.None);
        tlvs.PutString(ErrorAttribute.Message, "No such chain");
        tlvs.PutU32(ErrorAttribute.Offset, 36);
        tlvs.PutU32(ErrorAttribute.MissingType, 5);
        var extended = tlvs.ToArray()[16..];
        using var transport = new ScriptedNetlinkTransport(sent => [ScriptedReply.Error(ScriptedReply.Headers(sent)[0], 2, extended)]);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.ExecuteAsync("delete chain x", request, Ct));

        Assert.Equal(("delete chain x", Errno.NoSuchEntry, "No such chain", 36, 1u),
            (error.Operation, error.Errno, error.KernelMessage, error.AttributeOffset, error.Sequence));
        Assert.Equal((ushort?)5, error.Extended!.MissingAttribute);
        Assert.Equal("delete chain x: ENOENT: No such chain (attribute 5 is missing) (attribute at byte 36)", error.Message);
    }

    [Fact]
    public async Task The_extended_acknowledgement_follows_an_echoed_request()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            using var tlvs = new NlMsgWriter();
            tlvs.BeginMessage(0, NlMsgFlags.None);
            tlvs.PutString(ErrorAttribute.Message, "why");
            byte[] body = [.. BitConverter.GetBytes(-22), .. sent, .. tlvs.ToArray()[16..]];
            return [ScriptedReply.Message(NlMsgHeader.Error, NlMsgFlags.AckTlvs, 1, body)];
        });
        using var channel = new NetlinkChannel(transport);
        using var request = Request();

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.ExecuteAsync("x", request, Ct));

        Assert.Equal((Errno.InvalidArgument, "why"), (error.Errno, error.KernelMessage));
    }

    [Fact]
    public async Task A_malformed_explanation_does_not_hide_the_errno()
    {
        using var transport = new ScriptedNetlinkTransport(
            sent => [ScriptedReply.Error(ScriptedReply.Headers(sent)[0], 17, [200, 0, 1, 0])]);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.ExecuteAsync("x", request, Ct));

        Assert.Equal((Errno.Exists, (string?)null), (error.Errno, error.KernelMessage));
    }

    [Fact]
    public async Task A_dump_is_streamed_from_several_datagrams()
    {
        using var transport = new ScriptedNetlinkTransport(sent => [[.. Item(1, 10), .. Item(1, 11)], [.. Item(1, 12), .. ScriptedReply.Done(1)]]);
        using var channel = new NetlinkChannel(transport);
        List<byte> seen = [];
        using var request = Request();

        await channel.DumpAsync("list", request, message => seen.Add(message.Body[0]), cancellationToken: Ct);

        Assert.Equal([10, 11, 12], seen);
        Assert.Equal(NlMsgFlags.Request | NlMsgFlags.Dump, ScriptedReply.Headers(transport.Sent[0])[0].Flags);
        Assert.Equal(0, channel.Counters.WriteMessages);
    }

    [Theory]
    [InlineData(true)] // in DONE
    [InlineData(false)] // in ERROR
    public async Task A_refused_dump_fails(bool inDone)
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
            [Item(1, 1), inDone ? ScriptedReply.Done(1, 95) : ScriptedReply.Error(ScriptedReply.Headers(sent)[0], 95)]);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.DumpAsync("list", request, _ => { }, cancellationToken: Ct));

        Assert.Equal(Errno.NotSupported, error.Errno);
    }

    [Fact]
    public async Task A_dump_disturbed_by_changes_begins_anew()
    {
        using var transport = new ScriptedNetlinkTransport(sent => ScriptedReply.Headers(sent)[0].Sequence switch
        {
            1 => [Item(1, 1), Item(1, 2, NlMsgFlags.DumpInterrupted), Item(1, 3), ScriptedReply.Done(1)],
            2 => [Item(2, 1), ScriptedReply.Done(2, flags: NlMsgFlags.DumpInterrupted)],
            3 => [Item(3, 1), ScriptedReply.Done(3, Errno.Interrupted)],
            var sequence => [Item(sequence, 7), ScriptedReply.Done(sequence)],
        });
        using var channel = new NetlinkChannel(transport);
        List<byte> seen = [];
        var restarts = 0;
        using var request = Request();

        await channel.DumpAsync("list", request, message => seen.Add(message.Body[0]), () =>
        {
            restarts++;
            seen.Clear();
        }, Ct);

        Assert.Equal([7], seen);
        Assert.Equal(3, restarts);
    }

    [Fact]
    public async Task A_dump_that_is_always_disturbed_gives_up()
    {
        using var transport = new ScriptedNetlinkTransport(
            sent => [ScriptedReply.Done(ScriptedReply.Headers(sent)[0].Sequence, flags: NlMsgFlags.DumpInterrupted)]);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.DumpAsync("list", request, _ => { }, cancellationToken: Ct));

        Assert.Equal(Errno.Interrupted, error.Errno);
        Assert.Equal(8, transport.Sent.Count);
    }

    [Fact]
    public async Task Answers_to_other_requests_are_ignored()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            var request = ScriptedReply.Headers(sent)[0];
            return [Item(request.Sequence + 7, 9), ScriptedReply.Error(request with { Sequence = 99 }, 1), Item(0, 8), Item(1, 5), ScriptedReply.Ack(request)];
        });
        using var channel = new NetlinkChannel(transport);
        List<byte> seen = [];
        using var request = Request();

        await channel.GetAsync("get", request, message => seen.Add(message.Body[0]), Ct);

        Assert.Equal([5], seen);
    }

    [Fact]
    public async Task Late_answers_and_losses_of_a_cancelled_request_do_not_reach_the_next()
    {
        var isMute = true;
        using var transport = new ScriptedNetlinkTransport(sent => isMute ? [] : [ScriptedReply.Ack(ScriptedReply.Headers(sent)[0])]);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var cancelled = channel.ExecuteAsync("cancelled", request, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        isMute = false;
        transport.Push(ScriptedReply.Error(ScriptedReply.Headers(transport.Sent[0])[0], 22));
        transport.PushOverrun();
        await channel.ExecuteAsync("next", request, Ct);

        Assert.Equal(2, transport.Sent.Count);
    }

    [Fact]
    public async Task Callers_queue_up()
    {
        var isMute = true;
        using var transport = new ScriptedNetlinkTransport(sent => isMute ? [] : [ScriptedReply.Ack(ScriptedReply.Headers(sent)[0])]);
        using var channel = new NetlinkChannel(transport);
        using var one = Request();
        using var two = Request();
        var first = channel.ExecuteAsync("first", one, Ct);
        isMute = false;

        var second = channel.ExecuteAsync("second", two, Ct);
        Assert.False(second.IsCompleted);
        Assert.Single(transport.Sent);
        transport.Push(ScriptedReply.Ack(ScriptedReply.Headers(transport.Sent[0])[0]));

        await first;
        await second;
        Assert.Equal(2, transport.Sent.Count);
    }

    [Fact]
    public async Task Lost_answers_mean_an_unknown_outcome()
    {
        using var transport = new ScriptedNetlinkTransport(_ => []);
        using var channel = new NetlinkChannel(transport);
        using var request = Request();
        var waiting = channel.ExecuteAsync("create it", request, Ct);

        transport.PushOverrun();

        var error = await Assert.ThrowsAsync<NetlinkOverrunException>(() => waiting);
        Assert.Equal(("create it", Errno.NoBufferSpace), (error.Operation, error.Errno));
    }

    [Fact]
    public async Task Many_requests_are_answered_each_by_its_own()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        [
            .. ScriptedReply.Headers(sent).SelectMany((header, i) => (byte[][])
            [
                .. Enumerable.Range(0, i).Select(_ => ScriptedReply.Message(Object, NlMsgFlags.None, header.Sequence)),
                ScriptedReply.Error(header, i == 1 ? Errno.NoSuchEntry : 0),
            ]),
        ]);
        using var channel = new NetlinkChannel(transport);
        using var requests = new NlMsgWriter();
        for (var i = 0; i < 3; i++) requests.BeginMessage(Object, NlMsgFlags.None);
        List<int> seen = [];
        for (var round = 0; round < 2; round++)
        {
            seen.Clear();
            var refused = await channel.GetManyAsync("get", requests, (request, _) => seen.Add(request), Ct);
            Assert.Equal([1, 2, 2], seen);
            Assert.Equal([(1, Errno.NoSuchEntry)], refused.Select(error => (error.MessageIndex, error.Errno)));
        }

        Assert.Equal(new NetlinkCounters(2, 6, 96, 0), channel.Counters);
    }

    [Fact]
    public async Task Lost_answers_to_many_requests_are_an_overrun()
    {
        ScriptedNetlinkTransport transport = null!;
        transport = new ScriptedNetlinkTransport(sent =>
        {
            transport.PushOverrun();
            return ScriptedReply.Headers(sent).Select(ScriptedReply.Ack);
        });
        using var channel = new NetlinkChannel(transport);
        using var requests = new NlMsgWriter();
        for (var i = 0; i < 2; i++) requests.BeginMessage(Object, NlMsgFlags.None);
        await Assert.ThrowsAsync<NetlinkOverrunException>(() => channel.GetManyAsync("get", requests, (_, _) => { }, Ct));
        transport.Dispose();
    }

    [Fact]
    public async Task A_disposed_channel_fails_its_request()
    {
        using var transport = new ScriptedNetlinkTransport(_ => []);
        var channel = new NetlinkChannel(transport);
        using var request = Request();
        var waiting = channel.ExecuteAsync("x", request, Ct);

        channel.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    [Fact]
    public async Task A_throwing_visitor_fails_its_own_dump_only()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            var sequence = ScriptedReply.Headers(sent)[0].Sequence;
            return [Item(sequence, 1), Item(sequence, 2), ScriptedReply.Done(sequence)];
        });
        using var channel = new NetlinkChannel(transport);
        using var request = Request();
        await Assert.ThrowsAsync<FormatException>(
            () => channel.DumpAsync("list", request, _ => throw new FormatException(), cancellationToken: Ct));

        var seen = 0;
        await channel.DumpAsync("list", request, _ => seen++, cancellationToken: Ct);

        Assert.Equal(2, seen);
    }

    private enum ErrorAttribute : ushort
    {
        Message = 1,
        Offset = 2,
        MissingType = 5,
    }

    private static byte[] Item(uint sequence, byte value, NlMsgFlags flags = NlMsgFlags.None) =>
        ScriptedReply.Message(Object, NlMsgFlags.Multi | flags, sequence, [value, 0, 0, 0]);

    private static NlMsgWriter Request()
    {
        var writer = new NlMsgWriter();
        writer.BeginMessage(Object, NlMsgFlags.None);
        writer.PutBody([1, 2, 3, 4]);
        return writer;
    }
}
