using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Kernel.Tests.Nftables;

/// <summary>Random transactions do the same in memory and in the kernel.</summary>
public sealed class NftRandomTransactionTests
{
    private const int Transactions = 400;
    private const int Names = 4;
    private static readonly NftTableKey Table = new(NftFamily.Ip, "t");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Memory_and_kernel_agree(int seed)
    {
        using var ns = NetworkNamespace.Create();
        await using var kernel = ns.Run(() => NftablesClient.Open());
        await using var memory = new InMemoryNftables();
        var random = new Random(seed);
        var applied = 0;
        for (var i = 0; i < Transactions; i++)
        {
            var transaction = Transaction(random);
            var expected = await OutcomeAsync(kernel, transaction);
            var actual = await OutcomeAsync(memory, transaction);
            Assert.True(expected == actual, $"transaction {i}:\n{NftText.Of(transaction)}kernel: {expected}\nmemory: {actual}");
            if (expected.Length == 0) applied++;
            Assert.Equal(await StateAsync(kernel), await StateAsync(memory));
        }

        Assert.InRange(applied, Transactions / 10, Transactions - 1);
    }

    private static async Task<string> OutcomeAsync(INftables nft, NftTransaction transaction)
    {
        try
        {
            await nft.CommitAsync(transaction, Cancel);
            return "";
        }
        catch (NftTransactionException refused)
        {
            return string.Join(", ", refused.Failures.Select(failure => $"{failure.OperationIndex}[{failure.ElementIndex}]={failure.Errno}"));
        }
    }

    private static async Task<string> StateAsync(INftables nft)
    {
        if (await nft.ReadTableAsync(Table, Cancel) is not { } content) return "none";
        var lines = new List<string>();
        foreach (var chain in content.Chains.Keys.Order(StringComparer.Ordinal))
            lines.Add($"{chain}: {string.Join(" | ", content.Rules[chain].Select(rule => NftText.Of(rule.Rule)))}");
        foreach (var set in content.Sets.Values.OrderBy(set => set.Key.Name, StringComparer.Ordinal))
        {
            var elements = new List<string>();
            await nft.ReadElementsAsync(set, element => elements.Add(NftText.Of(set, element)), elements.Clear, Cancel);
            lines.Add($"{set.Key.Name}: {string.Join(" | ", elements.Order(StringComparer.Ordinal))}");
        }

        return string.Join('\n', lines);
    }

    private static NftTransaction Transaction(Random random)
    {
        var transaction = new NftTransaction();
        if (random.Next(3) != 0) transaction.Add(new NftTable(Table));
        for (var n = random.Next(1, 8); n > 0; n--) Operation(transaction, random);
        return transaction;
    }

    private static void Operation(NftTransaction transaction, Random random)
    {
        var name = random.Next(Names);
        var set = Set(random.Next(4));
        switch (random.Next(16))
        {
            case 0 when random.Next(6) == 0: transaction.Delete(Table); break;
            case 0 or 1 or 2 or 3: transaction.Add(new NftChain(Chain(name))); break;
            case 4: transaction.Delete(Chain(name)); break;
            case 5: transaction.Flush(Chain(name)); break;
            case 6 or 7: transaction.Add(set); break;
            case 8: transaction.Delete(set.Key); break;
            case 9: transaction.Flush(set.Key); break;
            case 10 or 11: transaction.Add(Chain(name), Rule(name, random)); break;
            case 12 or 13 or 14: transaction.AddElements(set, Elements(set, random)); break;
            default: transaction.DeleteElements(set, Elements(set, random)); break;
        }
    }

    private static NftChainKey Chain(int name) => new(Table, $"chain-{name}");

    private static NftSet Set(int which) => which switch
    {
        0 => new NftSet(new NftSetKey(Table, "set")) { KeyType = [NftDataType.Ipv4Addr] },
        1 => new NftSet(new NftSetKey(Table, "map")) { Kind = NftSetKind.Map, KeyType = [NftDataType.Ipv4Addr], DataType = [NftDataType.Mark] },
        2 => new NftSet(new NftSetKey(Table, "verdicts")) { Kind = NftSetKind.VerdictMap, KeyType = [NftDataType.Ipv4Addr] },
        _ => new NftSet(new NftSetKey(Table, "tuples")) { KeyType = [NftDataType.Ipv4Addr, NftDataType.InetService], Size = 1000 },
    };

    private static NftRule Rule(int chain, Random random)
    {
        NftStatement[] statements =
        [
            new NftSetMatch(new NftPayload(NftField.IpDaddr), "set"),
            new NftSetMeta(NftMetaKey.Mark, new NftMapLookup(new NftPayload(NftField.IpDaddr), "map")),
            new NftVerdictMapStatement(new NftPayload(NftField.IpSaddr), "verdicts"),
            new NftAnonymousSetMatch(new NftPayload(NftField.IpDaddr), new NftElements(new NftElement { Key = NftValue.Number(1) })),
            // Only forward, so that there is no loop.
            chain + 1 < Names ? new NftVerdictStatement(NftVerdict.Jump(Chain(random.Next(chain + 1, Names)).Name)) : new NftCounter(),
        ];
        return new NftRule(statements[random.Next(statements.Length)]);
    }

    private static NftElement[] Elements(NftSet set, Random random) =>
    [
        .. Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
        {
            var address = NftValue.Number((uint)random.Next(6) << 24);
            return new NftElement
            {
                Key = set.KeyType.Length == 1 ? address : NftValue.Concat(address, NftValue.Port(80)),
                Data = set.Kind == NftSetKind.Map ? NftValue.Number((uint)random.Next(2)) : default,
                Verdict = set.Kind == NftSetKind.VerdictMap ? (random.Next(2) == 0 ? NftVerdict.Drop : NftVerdict.Goto(Chain(Names - 1).Name)) : null,
            };
        }),
    ];
}
