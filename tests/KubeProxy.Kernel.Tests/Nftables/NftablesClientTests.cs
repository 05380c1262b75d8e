using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Tests.Nftables.Contract;

namespace KubeProxy.Kernel.Tests.Nftables;

public sealed class NftablesClientContractTests : NftablesContract
{
    protected override async Task WithAsync(Func<INftables, Task> test)
    {
        using var ns = NetworkNamespace.Create();
        await using var client = ns.Run(() => NftablesClient.Open());
        await test(client);
    }
}

public sealed class NftablesClientTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commands_and_messages_do_the_same()
    {
        using var ours = NetworkNamespace.Create();
        using var theirs = NetworkNamespace.Create();
        await using var client = ours.Run(() => NftablesClient.Open());
        await using var reader = theirs.Run(() => NftablesClient.Open());
        var table = NftCases.Table(NftFamily.Ip);
        var chain = NftCases.Chain(NftFamily.Ip);
        var prepare = NftCases.Prepare(NftFamily.Ip).Add(chain, NftCases.Rules().First().Rule).Add(chain, NftCases.Rules().Last(c => c.Family == NftFamily.Ip).Rule)
            .Add(new NftTable(new NftTableKey(NftFamily.Ip6, "gone")));
        await client.CommitAsync(prepare, Cancel);
        theirs.ExecWithInput(NftText.Of(prepare), "nft", "-f", "-");
        NftTransaction Change(ulong handle)
        {
            var sets = NftCases.Sets(NftFamily.Ip).ToDictionary(entry => entry.Set.Key.Name);
            var transaction = new NftTransaction()
                .Delete(chain, handle)
                .Flush(sets["verdicts"].Set)
                .Delete(sets["fib-types"].Set)
                .Delete(sets["endpoints"].Set)
                .Delete(new NftTableKey(NftFamily.Ip6, "gone"))
                .Flush(new NftChainKey(table, "nat-prerouting"))
                .Delete(new NftChainKey(table, "route-output"));
            foreach (var name in new[] { "plain", "ranges", "concat-ranges", "range-verdicts" })
                transaction.DeleteElements(sets[name].Set, [sets[name].Elements[0] with { Data = default, Verdict = null, Comment = null }]);
            return transaction;
        }

        var handles = new List<ulong>();
        foreach (var nft in new[] { client, reader }) handles.Add((await nft.ReadTableAsync(table, Cancel))!.Rules["c"][0].Handle);
        await client.CommitAsync(Change(handles[0]), Cancel);
        theirs.ExecWithInput(NftText.Of(Change(handles[1])), "nft", "-f", "-");
        NftListings.AssertEqual(ours, theirs);
    }

    [Fact]
    public async Task The_text_of_a_table_that_was_read_loads_as_the_table()
    {
        using var ours = NetworkNamespace.Create();
        using var theirs = NetworkNamespace.Create();
        await using var client = ours.Run(() => NftablesClient.Open());
        foreach (var family in new[] { NftFamily.Ip, NftFamily.Inet })
        {
            var transaction = NftCases.Prepare(family);
            foreach (var @case in NftCases.Rules().Where(@case => @case.Family == family)) transaction.Add(NftCases.Chain(family), @case.Rule);
            await client.CommitAsync(transaction, Cancel);
            var content = await client.ReadTableAsync(NftCases.Table(family), Cancel);
            var elements = NftCases.Sets(family).ToDictionary(entry => entry.Set.Key.Name, entry => entry.Elements);
            theirs.ExecWithInput(NftText.Of(content!, set => elements[set.Key.Name]), "nft", "-f", "-");
        }

        NftListings.AssertEqual(ours, theirs);
    }

    [Fact]
    public async Task Foreign_rules_are_read_and_can_be_written_back()
    {
        using var ns = NetworkNamespace.Create();
        await using var client = ns.Run(() => NftablesClient.Open());
        ns.ExecWithInput(
            """
            table inet f {
            	chain c {
            		limit rate 5/second burst 5 packets accept
            		tcp flags syn meta length 20-60 drop
            		icmp type echo-request accept
            		meta nftrace set 1
            	}
            }

            """,
            "nft",
            "-f",
            "-");
        var table = new NftTableKey(NftFamily.Inet, "f");
        var before = ns.Exec("nft", "list", "ruleset");
        var content = await client.ReadTableAsync(table, Cancel);
        var rules = content!.Rules["c"];
        Assert.Equal(
            ["limit rate 5/second accept", "tcp flags syn meta length 20-60 drop", "icmp type echo-request accept", "meta nftrace set 1"],
            rules.Select(rule => KubeProxy.Netfilter.Nftables.Text.NftText.Of(rule.Rule, NftFamily.Inet)));
        var transaction = new NftTransaction().Flush(new NftChainKey(table, "c"));
        foreach (var rule in rules) transaction.Add(new NftChainKey(table, "c"), rule.Rule);
        await client.CommitAsync(transaction, Cancel);
        Assert.Equal(before, ns.Exec("nft", "list", "ruleset"));
    }
}
