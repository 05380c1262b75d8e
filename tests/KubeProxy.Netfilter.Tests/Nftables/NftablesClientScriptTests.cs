using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Nftables;

/// <summary>What the client makes of answers that a healthy kernel rarely gives.</summary>
public sealed class NftablesClientScriptTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "t");
    private static readonly NftChainKey Chain = new(Table, "c");
    private static readonly NftSet Set = new(new NftSetKey(Table, "s")) { KeyType = [NftDataType.InetService] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lost_answers_leave_the_outcome_open()
    {
        await using var client = Client(headers => []);
        await Assert.ThrowsAsync<NftUnknownOutcomeException>(() => client.CommitAsync(new NftTransaction().Add(new NftTable(Table)), Cancel));
    }

    [Fact]
    public async Task Missing_privileges_are_named()
    {
        await using var client = Client(headers => [ScriptedReply.Error(headers[0], Errno.OperationNotPermitted)]);
        var refused = await Assert.ThrowsAsync<NftTransactionException>(() => client.CommitAsync(new NftTransaction().Add(new NftTable(Table)), Cancel));
        Assert.Contains("CAP_NET_ADMIN", refused.Message, StringComparison.Ordinal);
        var unread = await Assert.ThrowsAsync<NftReadException>(() => client.ListTablesAsync(cancellationToken: Cancel));
        Assert.Contains("CAP_NET_ADMIN", unread.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.OperationNotPermitted, unread.Errno);
    }

    [Fact]
    public async Task A_missing_kernel_feature_is_named_with_its_option_and_module()
    {
        await using var client = Client(headers => [ScriptedReply.Error(headers[1], Errno.NoSuchEntry), ScriptedReply.Ack(headers[^2])]);
        var rule = new NftRule(
            new NftMatch(NftFib.TypeOf(NftFibAddress.Daddr), NftOperator.Equal, new NftConstant(NftDataType.FibAddrType, NftValue.Number((uint)NftAddrType.Local))));
        var refused = await Assert.ThrowsAsync<NftTransactionException>(() => client.CommitAsync(new NftTransaction().Add(Chain, rule), Cancel));
        Assert.Contains("CONFIG_NFT_FIB_IPV4 (module nft_fib_ipv4)", refused.Message, StringComparison.Ordinal);
        Assert.Contains("add rule ip t c fib daddr type local", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stale_generation_is_told_by_the_answer_to_the_batch()
    {
        await using var client = Client(headers => [ScriptedReply.Error(headers[0], Errno.Restart)]);
        var refused = await Assert.ThrowsAsync<NftTransactionException>(
            () => client.CommitAsync(new NftTransaction { ExpectedGeneration = 5 }.Add(new NftTable(Table)), Cancel));
        Assert.True(refused.IsStale);
    }

    [Theory]
    [InlineData(5u, 6u, 6u)]
    [InlineData(5u, 9u, 6u)] // others committed after ours: the next commit must notice
    public async Task The_generation_of_a_commit_is_never_that_of_somebody_else(uint expected, uint now, uint told)
    {
        await using var client = Client(headers => headers.Count == 1 ? GenerationReply(headers[0], now) : [ScriptedReply.Ack(headers[^2])]);
        var result = await client.CommitAsync(new NftTransaction { ExpectedGeneration = expected }.Add(new NftTable(Table)), Cancel);
        Assert.Equal(told, result.Generation);
    }

    [Fact]
    public async Task Elements_are_read_again_when_the_ruleset_changed_meanwhile()
    {
        uint[] generations = [1, 2, 3, 3]; // before and after the first attempt, before and after the second
        var asked = 0;
        await using var client = Client(headers => headers[0].Type == NfNetlink.MessageType(NfSubsystem.Nftables, (byte)NftMessage.GetGen)
            ? GenerationReply(headers[0], generations[asked++])
            : [Element(headers[0].Sequence, (byte)asked), ScriptedReply.Done(headers[0].Sequence)]);
        var elements = new List<NftElement>();
        var generation = await client.ReadElementsAsync(Set, elements.Add, elements.Clear, Cancel);
        Assert.Equal(3u, generation);
        Assert.Equal([new NftElement { Key = NftValue.Port(3) }], elements);
    }

    [Fact]
    public async Task Reading_gives_up_when_the_ruleset_never_rests()
    {
        var generation = 0u;
        await using var client = Client(headers => headers[0].Type == NfNetlink.MessageType(NfSubsystem.Nftables, (byte)NftMessage.GetGen)
            ? GenerationReply(headers[0], ++generation)
            : [ScriptedReply.Done(headers[0].Sequence)]);
        var error = await Assert.ThrowsAsync<NftReadException>(() => client.ReadElementsAsync(Set, _ => { }, () => { }, Cancel));
        Assert.Equal(Errno.Interrupted, error.Errno);
        Assert.Equal(16u, generation);
    }

    private static NftablesClient Client(Func<IReadOnlyList<NlMsgHeader>, byte[][]> answer) =>
        new(new NetlinkChannel(new ScriptedNetlinkTransport(datagram => answer(ScriptedReply.Headers(datagram)))));

    private static byte[][] GenerationReply(NlMsgHeader request, uint generation)
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(NfSubsystem.Nftables, (byte)NftMessage.NewGen, NlMsgFlags.None, 0);
        writer.PutU32BigEndian(GenerationAttribute.Id, generation);
        return [Stamped(request.Sequence, writer), ScriptedReply.Ack(request)];
    }

    private static byte[] Element(uint sequence, byte port)
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(NfSubsystem.Nftables, (byte)NftMessage.NewSetElem, NlMsgFlags.Multi, (byte)NftFamily.Ip);
        using (writer.BeginNested(ElementListAttribute.Elements))
        using (writer.BeginNested(ListAttribute.Element))
            NftDataCodec.WriteValue(writer, ElementAttribute.Key, NftValue.Port(port).Span);
        return Stamped(sequence, writer);
    }

    private static byte[] Stamped(uint sequence, NlMsgWriter writer) => ScriptedReply.Messages(sequence, writer);
}
