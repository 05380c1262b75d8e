using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NetlinkBatchTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batch_is_one_datagram_in_which_the_last_operation_is_acknowledged()
    {
        using var transport = new ScriptedNetlinkTransport(sent => [ScriptedReply.Ack(ScriptedReply.Headers(sent)[^2])]);
        using var channel = new NetlinkChannel(transport);
        using var batch = Batch(operations: 20_000);

        var result = await channel.ExecuteBatchAsync("commit", batch, Ct);

        Assert.True(result.Succeeded);
        Assert.Equal((20_002, batch.Length), (result.Messages, result.Bytes));
        var headers = ScriptedReply.Headers(Assert.Single(transport.Sent));
        Assert.Equal(Enumerable.Range(1, 20_002).Select(number => (uint)number), headers.Select(header => header.Sequence));
        Assert.All(headers, header => Assert.True(header.Flags.HasFlag(NlMsgFlags.Request)));
        Assert.Equal(20_001u, Assert.Single(headers, header => header.Flags.HasFlag(NlMsgFlags.Ack)).Sequence);
        Assert.Equal(20_002, channel.Counters.WriteMessages);
    }

    [Fact]
    public async Task Each_refused_message_is_named()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            var headers = ScriptedReply.Headers(sent);
            return [
                [.. ScriptedReply.Error(headers[5], 2), .. ScriptedReply.Error(headers[3], 17)],
                ScriptedReply.Ack(headers[^2]),
                ScriptedReply.Error(headers[0] with { Sequence = 5000 }, 1), // of another conversation
            ];
        });
        using var channel = new NetlinkChannel(transport);
        using var batch = Batch(operations: 10);

        var result = await channel.ExecuteBatchAsync("commit", batch, Ct);

        Assert.Equal([(3, Errno.Exists), (5, Errno.NoSuchEntry)], result.Errors.Select(error => (error.MessageIndex, error.Errno)));
    }

    [Fact]
    public async Task A_refusal_of_the_batch_as_such_has_index_0()
    {
        using var transport = new ScriptedNetlinkTransport(sent => [ScriptedReply.Error(ScriptedReply.Headers(sent)[0], Errno.Restart)]);
        using var channel = new NetlinkChannel(transport);
        using var batch = Batch(operations: 1);

        var result = await channel.ExecuteBatchAsync("commit", batch, Ct);

        Assert.Equal([new NetlinkMessageError(0, Errno.Restart, null)], result.Errors);
    }

    [Fact]
    public async Task Silence_means_an_unknown_outcome()
    {
        using var transport = new ScriptedNetlinkTransport(_ => []);
        using var channel = new NetlinkChannel(transport);
        using var batch = Batch(operations: 1);

        await Assert.ThrowsAsync<NetlinkOverrunException>(() => channel.ExecuteBatchAsync("commit", batch, Ct));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_answers_lost_one_refusal_tells_the_outcome_of_a_batch_and_none_leaves_it_unknown(bool isRefusalThere)
    {
        ScriptedNetlinkTransport? transport = null;
        transport = new ScriptedNetlinkTransport(sent =>
        {
            transport!.PushOverrun();
            var headers = ScriptedReply.Headers(sent);
            return isRefusalThere ? [ScriptedReply.Error(headers[1], 17)] : [ScriptedReply.Ack(headers[^2])];
        });
        using var channel = new NetlinkChannel(transport);
        using var batch = Batch(operations: 3);
        var committing = channel.ExecuteBatchAsync("commit", batch, Ct);

        if (isRefusalThere)
        {
            var result = await committing;
            Assert.Equal([(1, Errno.Exists)], result.Errors.Select(error => (error.MessageIndex, error.Errno)));
            Assert.True(result.IsIncomplete);
        }
        else
        {
            await Assert.ThrowsAsync<NetlinkOverrunException>(() => committing);
        }
    }

    [Fact]
    public async Task Of_independent_requests_any_loss_leaves_the_outcome_unknown()
    {
        ScriptedNetlinkTransport? transport = null;
        transport = new ScriptedNetlinkTransport(sent =>
        {
            transport!.PushOverrun();
            return [ScriptedReply.Error(ScriptedReply.Headers(sent)[0], 2)];
        });
        using var channel = new NetlinkChannel(transport);
        using var requests = new NlMsgWriter();
        for (var i = 0; i < 2; i++) requests.BeginMessage(0x102, NlMsgFlags.None);

        await Assert.ThrowsAsync<NetlinkOverrunException>(() => channel.ExecuteManyAsync("delete", requests, Ct));
    }

    [Fact]
    public async Task A_batch_that_cannot_be_sent_was_not_applied()
    {
        using var transport = new ScriptedNetlinkTransport(_ => throw new NetlinkException("send", Errno.MessageTooLong));
        using var channel = new NetlinkChannel(transport);
        using var batch = Batch(operations: 3);

        var error = await Assert.ThrowsAsync<NetlinkException>(() => channel.ExecuteBatchAsync("commit", batch, Ct));

        Assert.Equal(Errno.MessageTooLong, error.Errno);
        Assert.Equal(default, channel.Counters);
    }

    [Fact]
    public async Task Independent_requests_go_out_a_few_at_a_time()
    {
        using var transport = new ScriptedNetlinkTransport(sent => ScriptedReply.Headers(sent)
            .Select(header => header.Sequence % 50 == 0 ? ScriptedReply.Error(header, 2) : ScriptedReply.Ack(header)));
        using var channel = new NetlinkChannel(transport);
        using var requests = new NlMsgWriter();
        for (var i = 0; i < 200; i++) requests.BeginMessage(0x102, NlMsgFlags.None);

        var result = await channel.ExecuteManyAsync("delete", requests, Ct);

        Assert.Equal([49, 99, 149, 199], result.Errors.Select(error => error.MessageIndex));
        Assert.All(transport.Sent, sent => Assert.InRange(ScriptedReply.Headers(sent).Count, 1, 64));
        Assert.Equal(200, transport.Sent.Sum(sent => ScriptedReply.Headers(sent).Count));
    }

    private static NlMsgWriter Batch(int operations)
    {
        var writer = new NlMsgWriter();
        writer.PutBatchBegin(NfSubsystem.Nftables, generation: 7);
        for (var i = 0; i < operations; i++) writer.BeginMessage(NfSubsystem.Nftables, 0, NlMsgFlags.Create, family: 2);
        writer.PutBatchEnd(NfSubsystem.Nftables);
        return writer;
    }
}
