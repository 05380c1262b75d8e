using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Netlink;

/// <summary>What nf_tables answers to batches: the facts that <see cref="NetlinkChannel.ExecuteBatchAsync"/> relies on.</summary>
public sealed class NetlinkBatchTests : IDisposable
{
    private const byte IPv4 = 2;
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();
    private readonly NetlinkChannel _channel;

    public NetlinkBatchTests() => _channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Netfilter));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _channel.Dispose();
        _ns.Dispose();
    }

    [Fact]
    public async Task A_good_batch_is_applied()
    {
        using var batch = Batch(null, w => AddTable(w, "a"), w => AddTable(w, "b"));

        var result = await _channel.ExecuteBatchAsync("add tables", batch, Ct);

        Assert.True(result.Succeeded);
        Assert.Equal("table ip a\ntable ip b\n", _ns.Exec("nft", "list", "tables"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_bad_message_is_named_and_nothing_is_applied(int bad)
    {
        var operations = Enumerable.Range(1, 3).Select(i => (Action<NlMsgWriter>)(w => AddTable(w, $"t{i}"))).ToArray();
        operations[bad - 1] = w => DeleteTable(w, "missing");
        using var batch = Batch(null, operations);

        var result = await _channel.ExecuteBatchAsync("change tables", batch, Ct);

        var error = Assert.Single(result.Errors);
        Assert.Equal((bad, Errno.NoSuchEntry), (error.MessageIndex, error.Errno));
        Assert.Equal(20, error.Extended?.AttributeOffset); // NFTA_TABLE_NAME, after nlmsghdr and nfgenmsg
        Assert.Equal("", _ns.Exec("nft", "list", "tables"));
    }

    [Fact]
    public async Task All_bad_messages_are_named()
    {
        using var batch = Batch(null, [.. Enumerable.Range(0, 3000).Select(i => (Action<NlMsgWriter>)(w => DeleteTable(w, $"t{i}")))]);

        var result = await _channel.ExecuteBatchAsync("delete tables", batch, Ct);

        Assert.Equal(Enumerable.Range(1, 3000), result.Errors.Select(error => error.MessageIndex));
        Assert.All(result.Errors, error => Assert.Equal(Errno.NoSuchEntry, error.Errno));
    }

    [Fact]
    public async Task An_outdated_generation_refuses_the_batch_as_such()
    {
        using var batch = Batch(4711, w => AddTable(w, "a"));

        var result = await _channel.ExecuteBatchAsync("add table", batch, Ct);

        var error = Assert.Single(result.Errors);
        Assert.Equal((0, Errno.Restart), (error.MessageIndex, error.Errno));
        Assert.Equal("", _ns.Exec("nft", "list", "tables"));
    }

    [Fact]
    public async Task Refusals_that_do_not_fit_the_receive_buffer_still_tell_the_outcome()
    {
        using var channel = _ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Netfilter, new NetlinkSocketOptions { ReceiveBuffer = 4096 }));
        using var batch = Batch(null, [.. Enumerable.Range(0, 100).Select(i => (Action<NlMsgWriter>)(w => DeleteTable(w, $"t{i}")))]);

        var result = await channel.ExecuteBatchAsync("delete tables", batch, Ct);

        Assert.True(result.IsIncomplete);
        Assert.InRange(result.Errors.Count, 1, 99);
        Assert.Equal(1, result.Errors[0].MessageIndex);
        using var good = Batch(null, w => AddTable(w, "a"));
        Assert.True((await channel.ExecuteBatchAsync("add table", good, Ct)).Succeeded);
    }

    [Fact]
    public async Task A_batch_of_many_megabytes_is_one_transaction()
    {
        using var batch = Batch(null, [.. Enumerable.Range(0, 60_000).Select(_ => (Action<NlMsgWriter>)(w =>
        {
            AddTable(w, "big");
            w.PutBytes((TableAttribute)6, new byte[200]); // NFTA_TABLE_USERDATA
        }))]);
        Assert.True(batch.Length > 12_000_000);

        var result = await _channel.ExecuteBatchAsync("add a table again and again", batch, Ct);

        Assert.True(result.Succeeded);
        Assert.Equal(1, _channel.Counters.Datagrams);
        Assert.Equal("table ip big\n", _ns.Exec("nft", "list", "tables"));
    }

    [Fact]
    public async Task Batches_of_many_callers_do_not_mix()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(async () =>
        {
            using var batch = Batch(null, w => AddTable(w, $"t{i}"), w =>
            {
                if (i % 5 == 0) DeleteTable(w, "missing");
                else AddTable(w, $"u{i}");
            });
            return (i, await _channel.ExecuteBatchAsync("change tables", batch, Ct));
        }, Ct)));

        Assert.All(results, result => Assert.Equal(result.i % 5 != 0, result.Item2.Succeeded));
        Assert.Equal(80, _ns.Exec("nft", "list", "tables").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private enum TableAttribute : ushort
    {
        Name = 1, // NFTA_TABLE_NAME
    }

    private static NlMsgWriter Batch(uint? generation, params Action<NlMsgWriter>[] operations)
    {
        var writer = new NlMsgWriter();
        writer.PutBatchBegin(NfSubsystem.Nftables, generation);
        foreach (var operation in operations) operation(writer);
        writer.PutBatchEnd(NfSubsystem.Nftables);
        return writer;
    }

    private static void AddTable(NlMsgWriter writer, string name)
    {
        writer.BeginMessage(NfSubsystem.Nftables, 0, NlMsgFlags.Create, IPv4); // NFT_MSG_NEWTABLE
        writer.PutString(TableAttribute.Name, name);
    }

    private static void DeleteTable(NlMsgWriter writer, string name)
    {
        writer.BeginMessage(NfSubsystem.Nftables, 2, NlMsgFlags.None, IPv4); // NFT_MSG_DELTABLE
        writer.PutString(TableAttribute.Name, name);
    }
}
