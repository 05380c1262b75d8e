using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Tests.Nftables.Contract;

namespace KubeProxy.Netfilter.Tests.Nftables;

public sealed class InMemoryNftablesContractTests : NftablesContract
{
    protected override Task WithAsync(Func<INftables, Task> test) => test(new InMemoryNftables());
}

public sealed class InMemoryNftablesTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "t");
    private static readonly NftSet Set = new(new NftSetKey(Table, "s")) { KeyType = [NftDataType.InetService] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_injected_refusal_names_its_element_and_undoes_everything()
    {
        var nft = new InMemoryNftables { Refuse = (_, element) => element?.Key == NftValue.Port(2) ? 12 : 0 };
        var refused = await Assert.ThrowsAsync<NftTransactionException>(() => nft.CommitAsync(
            new NftTransaction().Add(new NftTable(Table)).Add(Set)
                .AddElements(Set, [new NftElement { Key = NftValue.Port(1) }, new NftElement { Key = NftValue.Port(2) }]),
            Cancel));
        var failure = Assert.Single(refused.Failures);
        Assert.Equal((2, 1, 12), (failure.OperationIndex, failure.ElementIndex ?? -1, failure.Errno));
        Assert.Empty(await nft.ListTablesAsync(cancellationToken: Cancel));
    }

    [Theory]
    [InlineData(LostAck.Applied, 1)]
    [InlineData(LostAck.NotApplied, 0)]
    public async Task A_lost_acknowledgement_leaves_the_outcome_open(LostAck lost, int tables)
    {
        var nft = new InMemoryNftables { LoseAck = _ => lost };
        await Assert.ThrowsAsync<NftUnknownOutcomeException>(() => nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)), Cancel));
        Assert.Equal(tables, (await nft.ListTablesAsync(cancellationToken: Cancel)).Count);
    }

    [Fact]
    public async Task It_counts_and_dumps()
    {
        var nft = new InMemoryNftables();
        await nft.CommitAsync(
            new NftTransaction().Add(new NftTable(Table) { Comment = "a table" }).Add(Set).AddElements(Set, [new NftElement { Key = NftValue.Port(80) }]), Cancel);
        Assert.Equal((1, 3, 1), (nft.Counts.Commits, nft.Counts.Operations, nft.Counts.ElementsAdded));
        Assert.Equal(
            "table ip t {\n\tcomment \"a table\"\n\tset s {\n\t\ttype inet_service\n\t\telements = { 80 }\n\t}\n}\n", nft.Dump());
    }
}
