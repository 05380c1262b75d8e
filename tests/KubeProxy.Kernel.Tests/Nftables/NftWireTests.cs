using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Tests.Nftables.Contract;

namespace KubeProxy.Kernel.Tests.Nftables;

/// <summary>What this library writes is what nft writes for the same text, and both read back as what was meant.</summary>
public sealed class NftWireTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(NftFamily.Ip)]
    [InlineData(NftFamily.Ip6)]
    [InlineData(NftFamily.Inet)]
    public async Task Sets_are_listed_like_those_that_nft_made_of_the_text(NftFamily family)
    {
        using var ours = NetworkNamespace.Create();
        using var theirs = NetworkNamespace.Create();
        await using var client = ours.Run(() => NftablesClient.Open());
        await client.CommitAsync(NftCases.Prepare(family), Cancel);
        theirs.ExecWithInput(NftText.Of(NftCases.Prepare(family)), "nft", "-f", "-");
        NftListings.AssertEqual(ours, theirs);
    }

    [Theory]
    [InlineData(NftFamily.Ip)]
    [InlineData(NftFamily.Ip6)]
    [InlineData(NftFamily.Inet)]
    public async Task Rules_are_listed_like_those_that_nft_made_of_the_text(NftFamily family)
    {
        using var ours = NetworkNamespace.Create();
        using var theirs = NetworkNamespace.Create();
        await using var client = ours.Run(() => NftablesClient.Open());
        var transaction = NftCases.Prepare(family);
        foreach (var @case in NftCases.Rules().Where(@case => @case.Family == family)) transaction.Add(NftCases.Chain(family), @case.Rule);
        await client.CommitAsync(transaction, Cancel);
        theirs.ExecWithInput(NftText.Of(transaction), "nft", "-f", "-");
        NftListings.AssertEqual(ours, theirs);
    }

    [Theory]
    [InlineData(NftFamily.Ip)]
    [InlineData(NftFamily.Ip6)]
    [InlineData(NftFamily.Inet)]
    public async Task What_nft_lists_loads_again_and_reads_back_as_meant(NftFamily family)
    {
        using var ours = NetworkNamespace.Create();
        using var theirs = NetworkNamespace.Create();
        await using var client = ours.Run(() => NftablesClient.Open());
        await using var other = theirs.Run(() => NftablesClient.Open());
        var transaction = NftCases.Prepare(family);
        var rules = NftCases.Rules().Where(@case => @case.Family == family).Select(@case => @case.Rule).ToArray();
        foreach (var rule in rules) transaction.Add(NftCases.Chain(family), rule);
        await client.CommitAsync(transaction, Cancel);
        theirs.ExecWithInput(ours.Exec("nft", "list", "ruleset"), "nft", "-f", "-");
        NftListings.AssertEqual(ours, theirs);

        foreach (var reader in new[] { client, other })
        {
            var content = await reader.ReadTableAsync(NftCases.Table(family), Cancel);
            Assert.NotNull(content);
            var read = content.Rules["c"].Select(rule => rule.Rule).ToArray();
            Assert.Equal(rules.Select(NftText.Of), read.Select(NftText.Of));
            Assert.Equal(rules.Select(rule => rule.Canonical()), read);
        }
    }

    [Theory]
    [InlineData(NftFamily.Ip)]
    [InlineData(NftFamily.Ip6)]
    [InlineData(NftFamily.Inet)]
    public async Task Sets_and_elements_read_back_as_they_were_written(NftFamily family)
    {
        using var ours = NetworkNamespace.Create();
        await using var client = ours.Run(() => NftablesClient.Open());
        await client.CommitAsync(NftCases.Prepare(family), Cancel);
        var content = await client.ReadTableAsync(NftCases.Table(family), Cancel);
        Assert.NotNull(content);
        Assert.Equal("rules for tests", content.Table.Comment);
        foreach (var (set, elements) in NftCases.Sets(family))
        {
            Assert.Equal(set, content.Sets[set.Key.Name]);
            var read = new List<NftElement>();
            await client.ReadElementsAsync(set, read.Add, read.Clear, Cancel);
            Assert.Equal(elements.OrderBy(element => element.Key.ToString()), read.OrderBy(element => element.Key.ToString()));
        }
    }
}
