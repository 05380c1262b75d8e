using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Nftables.Contract;

/// <summary>What every implementation of <see cref="INftables"/> does. The kernel decides what is right.</summary>
public abstract class NftablesContract
{
    private const int Enoent = 2;
    private const int Ebusy = 16;
    private const int Eexist = 17;
    private const int Einval = 22;
    private const int Emlink = 31;
    private const int Eopnotsupp = 95;

    private static readonly NftTableKey Table = new(NftFamily.Ip, "t");
    private static readonly NftSet Plain = new(new NftSetKey(Table, "plain")) { KeyType = [NftDataType.Ipv4Addr] };
    private static readonly NftSet Ranges = new(new NftSetKey(Table, "ranges")) { KeyType = [NftDataType.Ipv4Addr], Flags = NftSetFlags.Interval };
    private static readonly NftSet Map = new(new NftSetKey(Table, "map")) { Kind = NftSetKind.Map, KeyType = [NftDataType.Ipv4Addr], DataType = [NftDataType.Mark] };
    private static readonly NftSet Verdicts = new(new NftSetKey(Table, "verdicts")) { Kind = NftSetKind.VerdictMap, KeyType = [NftDataType.Ipv4Addr] };

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Runs the test with a fresh, empty nf_tables.</summary>
    protected abstract Task WithAsync(Func<INftables, Task> test);

    [Fact]
    public Task Every_set_and_rule_reads_back_as_it_was_written() => WithAsync(async nft =>
    {
        var families = new[] { NftFamily.Ip, NftFamily.Ip6, NftFamily.Inet };
        foreach (var family in families)
        {
            var transaction = NftCases.Prepare(family);
            foreach (var @case in NftCases.Rules().Where(@case => @case.Family == family)) transaction.Add(NftCases.Chain(family), @case.Rule);
            await nft.CommitAsync(transaction, Cancel);
        }

        foreach (var family in families)
        {
            var content = await nft.ReadTableAsync(NftCases.Table(family), Cancel);
            Assert.NotNull(content);
            Assert.Equal(NftCases.Rules().Where(@case => @case.Family == family).Select(@case => @case.Rule.Canonical()), content.Rules["c"].Select(rule => rule.Rule));
            foreach (var (set, elements) in NftCases.Sets(family))
            {
                Assert.Equal(set, content.Sets[set.Key.Name]);
                Assert.Equal(elements.OrderBy(e => e.Key.ToString()), (await ElementsAsync(nft, set)).OrderBy(e => e.Key.ToString()));
            }
        }

        Assert.Equal(3, (await nft.ListTablesAsync(cancellationToken: Cancel)).Count);
        Assert.Single(await nft.ListTablesAsync(NftFamily.Ip6, Cancel));
        Assert.Null(await nft.ReadTableAsync(new NftTableKey(NftFamily.Ip, "other"), Cancel));
    });

    [Fact]
    public Task Adding_what_is_there_changes_nothing() => WithAsync(async nft =>
    {
        var element = new NftElement { Key = Key(1), Data = NftValue.Number(1) };
        for (var i = 0; i < 2; i++)
        {
            await nft.CommitAsync(
                new NftTransaction().Add(new NftTable(Table)).Add(Chain("a")).Add(Map).AddElements(Map, [element]), Cancel);
        }

        Assert.Equal([element], await ElementsAsync(nft, Map));
    });

    [Fact]
    public Task An_element_with_other_data_clashes() => WithAsync(async nft =>
    {
        await nft.CommitAsync(
            new NftTransaction().Add(new NftTable(Table)).Add(Map).Add(Chain("a")).Add(Verdicts)
                .AddElements(Map, [new NftElement { Key = Key(1), Data = NftValue.Number(1) }])
                .AddElements(Verdicts, [new NftElement { Key = Key(1), Verdict = NftVerdict.Goto("a") }]),
            Cancel);
        var failures = await RefusedAsync(
            nft,
            new NftTransaction()
                .AddElements(Map, [new NftElement { Key = Key(0), Data = NftValue.Number(0) }, new NftElement { Key = Key(1), Data = NftValue.Number(2) }])
                .AddElements(Verdicts, [new NftElement { Key = Key(1), Verdict = NftVerdict.Drop }]));
        Assert.Equal([(0, Eexist), (1, Eexist)], failures.Select(failure => (failure.OperationIndex, failure.Errno)));
        Assert.Equal([1, 0], failures.Select(failure => failure.ElementIndex));
        Assert.Single(await ElementsAsync(nft, Map));
    });

    [Fact]
    public Task Elements_are_found_by_key_up_to_the_first_that_is_missing() => WithAsync(async nft =>
    {
        const int Count = 6000;
        NftElement Of(int number) => new() { Key = NftCases.Bytes($"10.1.{number >> 8}.{number & 255}"), Data = NftValue.Number((uint)number), Comment = $"number {number}" };
        NftElement Asked(int number) => new() { Key = Of(number).Key };
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Map).AddElements(Map, [.. Enumerable.Range(0, Count).Where(i => i != 3000).Select(Of)]), Cancel);
        async Task<List<(int List, NftElement Element)>> GetAsync(params IReadOnlyList<NftElement>[] lists)
        {
            List<(int, NftElement)> found = [];
            await nft.GetElementsAsync(Map, lists, (int list, in NftElement element) => found.Add((list, element)), found.Clear, Cancel);
            return found;
        }

        Assert.Equal(
            [(0, Of(1)), (0, Of(2)), (2, Of(5)), (4, Of(7))],
            await GetAsync([Asked(1), Asked(2)], [], [Asked(5), Asked(3000), Asked(6)], [Asked(3000), Asked(6)], [Asked(7)]));
        Assert.Empty(await GetAsync());
        // More than one message takes, with and without a gap, and what comes after it.
        NftElement[] before = [.. Enumerable.Range(0, 3000).Select(Asked)], all = [.. Enumerable.Range(0, Count).Select(Asked)];
        Assert.Equal([.. before.Select((_, i) => (0, Of(i))), .. before.Select((_, i) => (1, Of(i))), (2, Of(4000))], await GetAsync(before, all, [Asked(4000)]));
        // More lists than are asked for at a time.
        Assert.Equal(Enumerable.Range(0, Count).Where(i => i != 3000).Select(i => (i, Of(i))), await GetAsync([.. all.Select(each => (IReadOnlyList<NftElement>)[each])]));
        Assert.Equal(Enoent, (await Assert.ThrowsAsync<NftReadException>(() => nft.GetElementsAsync(Plain, [[Asked(1)]], (int _, in NftElement _) => { }, () => { }, Cancel))).Errno);
        await Assert.ThrowsAsync<ArgumentException>(() => nft.GetElementsAsync(Ranges, [], (int _, in NftElement _) => { }, () => { }, Cancel));
    });

    [Fact]
    public Task Deleting_and_adding_again_in_one_transaction_replaces() => WithAsync(async nft =>
    {
        await nft.CommitAsync(
            new NftTransaction().Add(new NftTable(Table)).Add(Map).AddElements(Map, [new NftElement { Key = Key(1), Data = NftValue.Number(1) }]), Cancel);
        var replaced = new NftElement { Key = Key(1), Data = NftValue.Number(2), Comment = "new" };
        await nft.CommitAsync(
            new NftTransaction().DeleteElements(Map, [new NftElement { Key = Key(1) }]).AddElements(Map, [replaced]), Cancel);
        Assert.Equal([replaced], await ElementsAsync(nft, Map));
    });

    [Fact]
    public Task Every_refusal_is_reported_and_nothing_is_applied() => WithAsync(async nft =>
    {
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Plain), Cancel);
        var failures = await RefusedAsync(
            nft,
            new NftTransaction()
                .AddElements(Plain, [new NftElement { Key = Key(1) }])
                .DeleteElements(Plain, [new NftElement { Key = Key(1) }, new NftElement { Key = Key(9) }])
                .Delete(new NftChainKey(Table, "missing"))
                .Add(Chain("a"))
                .Flush(new NftSetKey(Table, "missing"))
                .Delete(new NftTableKey(NftFamily.Ip6, "missing"))
                .Add(new NftChainKey(Table, "a"), new NftRule(new NftSetMatch(new NftPayload(NftField.IpDaddr), "missing")))
                .Add(new NftChainKey(Table, "a"), new NftRule(new NftVerdictStatement(NftVerdict.Jump("missing"))))
                .Delete(new NftChainKey(Table, "a"), 4711));
        Assert.Equal([1, 2, 4, 5, 6, 7, 8], failures.Select(failure => failure.OperationIndex));
        Assert.All(failures, failure => Assert.Equal(Enoent, failure.Errno));
        Assert.Equal(1, failures[0].ElementIndex);
        Assert.Equal("delete element ip t plain { 10.0.0.9 }", failures[0].Operation);
        var content = await nft.ReadTableAsync(Table, Cancel);
        Assert.Empty(content!.Chains);
        Assert.Empty(await ElementsAsync(nft, Plain));
    });

    [Fact]
    public Task What_is_referred_to_cannot_be_deleted() => WithAsync(async nft =>
    {
        await nft.CommitAsync(
            new NftTransaction().Add(new NftTable(Table)).Add(Chain("a")).Add(Chain("b")).Add(Chain("user")).Add(Plain).Add(Verdicts)
                .AddElements(Verdicts, [new NftElement { Key = Key(1), Verdict = NftVerdict.Goto("b") }])
                .Add(new NftChainKey(Table, "user"), new NftRule(new NftVerdictStatement(NftVerdict.Jump("a"))))
                .Add(new NftChainKey(Table, "user"), new NftRule(new NftSetMatch(new NftPayload(NftField.IpDaddr), "plain"))),
            Cancel);
        foreach (var transaction in new[]
        {
            new NftTransaction().Delete(new NftChainKey(Table, "a")),
            new NftTransaction().Delete(new NftChainKey(Table, "b")),
            new NftTransaction().Delete(Plain.Key),
        })
        {
            var failure = Assert.Single(await RefusedAsync(nft, transaction));
            Assert.Equal(Ebusy, failure.Errno);
        }

        await nft.CommitAsync(
            new NftTransaction().Flush(new NftChainKey(Table, "user")).Delete(new NftChainKey(Table, "a")).Delete(Plain.Key)
                .Flush(Verdicts.Key).Delete(new NftChainKey(Table, "b")).Delete(Verdicts.Key).Delete(new NftChainKey(Table, "user")),
            Cancel);
        var content = await nft.ReadTableAsync(Table, Cancel);
        Assert.Empty(content!.Chains);
        Assert.Empty(content.Sets);
    });

    [Fact]
    public Task A_changed_set_or_base_chain_clashes() => WithAsync(async nft =>
    {
        var hook = new NftBaseChain(NftChainType.Filter, NftHook.Input, 0);
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Plain).Add(Chain("base") with { Base = hook }).Add(Chain("a")), Cancel);
        var failures = await RefusedAsync(
            nft,
            new NftTransaction()
                .Add(Plain with { KeyType = [NftDataType.InetService] })
                .Add(Chain("base") with { Base = hook with { Priority = 10 } })
                .Add(Chain("a") with { Base = hook }));
        Assert.Equal([0, 1, 2], failures.Select(failure => failure.OperationIndex));
        Assert.Equal(Eexist, failures[0].Errno);
        Assert.All(failures.Skip(1), failure => Assert.Contains(failure.Errno, new[] { Eexist, Eopnotsupp })); // differs by kernel version
        await nft.CommitAsync(new NftTransaction().Add(Chain("base") with { Base = hook with { DropByDefault = true } }).Add(Chain("base")), Cancel);
        Assert.True((await nft.ReadTableAsync(Table, Cancel))!.Chains["base"].Base!.DropByDefault);
    });

    [Fact]
    public Task A_base_chain_cannot_be_jumped_to_nor_chains_go_round() => WithAsync(async nft =>
    {
        var hook = new NftBaseChain(NftChainType.Filter, NftHook.Input, 0);
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Chain("base") with { Base = hook }).Add(Chain("a")).Add(Chain("b")), Cancel);
        var jump = Assert.Single(await RefusedAsync(nft, new NftTransaction().Add(new NftChainKey(Table, "a"), new NftRule(new NftVerdictStatement(NftVerdict.Jump("base"))))));
        Assert.Equal(Eopnotsupp, jump.Errno);
        var loop = await RefusedAsync(
            nft,
            new NftTransaction()
                .Add(new NftChainKey(Table, "base"), new NftRule(new NftVerdictStatement(NftVerdict.Jump("a"))))
                .Add(new NftChainKey(Table, "a"), new NftRule(new NftVerdictStatement(NftVerdict.Jump("b"))))
                .Add(new NftChainKey(Table, "b"), new NftRule(new NftVerdictStatement(NftVerdict.Goto("a")))));
        Assert.Contains(loop, failure => failure.Errno == Emlink);
    });

    [Fact]
    public Task Ranges_do_not_overlap_and_are_deleted_whole() => WithAsync(async nft =>
    {
        var range = new NftElement { Key = Key(10), KeyEnd = Key(19) };
        var next = new NftElement { Key = Key(20), KeyEnd = Key(29) };
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Ranges).AddElements(Ranges, [range, next]), Cancel);
        var overlap = Assert.Single(await RefusedAsync(nft, new NftTransaction().AddElements(Ranges, [new NftElement { Key = Key(15), KeyEnd = Key(16) }])));
        Assert.Equal(Eexist, overlap.Errno);
        Assert.Equal([range, next], (await ElementsAsync(nft, Ranges)).OrderBy(e => e.Key.ToString()));
        await nft.CommitAsync(new NftTransaction().AddElements(Ranges, [range]).DeleteElements(Ranges, [next]), Cancel);
        Assert.Equal([range], await ElementsAsync(nft, Ranges));
        var missing = Assert.Single(await RefusedAsync(nft, new NftTransaction().DeleteElements(Ranges, [new NftElement { Key = Key(12) }])));
        Assert.Equal(Enoent, missing.Errno);
    });

    [Fact]
    public Task Rules_are_appended_and_deleted_by_handle() => WithAsync(async nft =>
    {
        var chain = new NftChainKey(Table, "a");
        NftRule Rule(string comment) => new(new NftCounter()) { Comment = comment };
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Chain("a")).Add(chain, Rule("1")).Add(chain, Rule("2")).Add(chain, Rule("3")), Cancel);
        var rules = (await nft.ReadTableAsync(Table, Cancel))!.Rules["a"];
        await nft.CommitAsync(new NftTransaction().Delete(chain, rules[1].Handle).Add(chain, Rule("4")), Cancel);
        Assert.Equal(["1", "3", "4"], (await nft.ReadTableAsync(Table, Cancel))!.Rules["a"].Select(rule => rule.Rule.Comment));
    });

    [Fact]
    public Task A_stale_generation_is_refused() => WithAsync(async nft =>
    {
        var first = await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)), Cancel);
        Assert.Equal(first.Generation, await nft.GetGenerationAsync(Cancel));
        var second = await nft.CommitAsync(new NftTransaction { ExpectedGeneration = first.Generation }.Add(Chain("a")), Cancel);
        Assert.Equal(first.Generation + 1, second.Generation);
        var refused = await Assert.ThrowsAsync<NftTransactionException>(
            () => nft.CommitAsync(new NftTransaction { ExpectedGeneration = first.Generation }.Add(Chain("b")), Cancel));
        Assert.True(refused.IsStale);
        Assert.Equal(["a"], (await nft.ReadTableAsync(Table, Cancel))!.Chains.Keys);
    });

    [Fact]
    public Task A_prepared_transaction_is_for_the_generation_at_its_commit() => WithAsync(async nft =>
    {
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)), Cancel);
        var old = await nft.GetGenerationAsync(Cancel);
        using var first = nft.Prepare(new NftTransaction { ExpectedGeneration = old }.Add(Chain("a")));
        using var second = nft.Prepare(new NftTransaction().Add(Chain("b")));
        using var anyTime = nft.Prepare(new NftTransaction().Add(Chain("c")));
        var made = await first.CommitAsync(old, Cancel);
        Assert.True((await Assert.ThrowsAsync<NftTransactionException>(() => second.CommitAsync(old, Cancel))).IsStale);
        Assert.Equal(made.Generation + 1, (await second.CommitAsync(made.Generation, Cancel)).Generation);
        await anyTime.CommitAsync(null, Cancel);
        Assert.Equal(["a", "b", "c"], (await nft.ReadTableAsync(Table, Cancel))!.Chains.Keys.Order());
    });

    [Fact]
    public Task What_is_wrong_is_known_before_a_transaction_is_committed() => WithAsync(async nft =>
    {
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Plain), Cancel);
        var wrong = new NftTransaction().Add(Chain("a")).AddElements(Plain, [new NftElement { Key = Key(1) }, new NftElement { Key = NftValue.Port(1) }]);
        var failure = Assert.Single(Assert.Throws<NftTransactionException>(() => nft.Prepare(wrong)).Failures);
        Assert.Equal((1, 1), (failure.OperationIndex, failure.ElementIndex));
        Assert.Empty((await nft.ReadTableAsync(Table, Cancel))!.Chains);
    });

    [Fact]
    public Task What_cannot_be_encoded_is_refused_by_operation_and_element() => WithAsync(async nft =>
    {
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Plain).Add(Chain("a")), Cancel);
        var failures = await RefusedAsync(
            nft,
            new NftTransaction()
                .AddElements(Plain, [new NftElement { Key = Key(1) }, new NftElement { Key = NftValue.Port(1) }, new NftElement { Key = Key(2), Comment = "\"" }])
                .Add(Chain(""))
                .Add(new NftChainKey(Table, "a"), new NftRule(new NftMatch(new NftPayload(NftField.Ip6Daddr), NftOperator.Equal, NftCases.Ip("::1")))));
        Assert.Equal([(0, 1), (0, 2), (1, null), (2, (int?)null)], failures.Select(failure => (failure.OperationIndex, failure.ElementIndex)));
        Assert.All(failures, failure => Assert.Equal(Einval, failure.Errno));
    });

    [Fact]
    public Task Elements_of_a_missing_set_cannot_be_read() => WithAsync(async nft =>
    {
        var error = await Assert.ThrowsAsync<NftReadException>(() => ElementsAsync(nft, Plain));
        Assert.Equal(Enoent, error.Errno);
    });

    [Fact]
    public Task Elements_in_many_chunks_arrive_and_an_error_names_the_right_one() => WithAsync(async nft =>
    {
        const int Count = 5000;
        var elements = Enumerable.Range(0, Count).Select(i => new NftElement { Key = NftValue.Number((uint)i), Data = NftValue.Number(1), Comment = $"element {i}" }).ToArray();
        await nft.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Map).AddElements(Map, elements), Cancel);
        Assert.Equal(Count, (await ElementsAsync(nft, Map)).Count);
        var others = elements.Select((e, i) => new NftElement { Key = NftValue.Number((uint)(i + Count)), Data = NftValue.Number(1) }).ToArray();
        others[4321] = elements[17] with { Data = NftValue.Number(2) };
        var failure = Assert.Single(await RefusedAsync(nft, new NftTransaction().AddElements(Map, others)));
        Assert.Equal((0, 4321, Eexist), (failure.OperationIndex, failure.ElementIndex ?? -1, failure.Errno));
    });

    protected static async Task<List<NftElement>> ElementsAsync(INftables nft, NftSet set)
    {
        var elements = new List<NftElement>();
        await nft.ReadElementsAsync(set, elements.Add, elements.Clear, Cancel);
        return elements;
    }

    private static async Task<IReadOnlyList<NftFailure>> RefusedAsync(INftables nft, NftTransaction transaction)
    {
        var before = await nft.GetGenerationAsync(Cancel);
        var refused = await Assert.ThrowsAsync<NftTransactionException>(() => nft.CommitAsync(transaction, Cancel));
        Assert.False(refused.IsStale);
        Assert.Equal(before, await nft.GetGenerationAsync(Cancel));
        return refused.Failures;
    }

    private static NftData Key(int last) => NftCases.Bytes($"10.0.0.{last}");

    private static NftChain Chain(string name) => new(new NftChainKey(Table, name));
}
