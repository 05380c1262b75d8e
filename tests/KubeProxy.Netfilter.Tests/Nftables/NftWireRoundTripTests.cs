using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netfilter.Tests.Nftables.Contract;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Nftables;

/// <summary>What is encoded is decoded as what it was, without a kernel between.</summary>
public sealed class NftWireRoundTripTests
{
    private static readonly NftFamily[] Families = [NftFamily.Ip, NftFamily.Ip6, NftFamily.Inet];

    [Fact]
    public void Random_rules()
    {
        var generator =
            from family in Gen.Elements(Families)
            from statements in Gen.ListOf(Gen.Elements(Statements(family)))
            from comment in Gen.Elements<string?>(null, "a comment")
            select (family, Rule: new NftRule([.. statements.Take(8)]) { Comment = comment });
        Prop.ForAll(generator.ToArbitrary(), @case => Assert.Equal(@case.Rule.Canonical().Statements, RoundTrip(@case.family, @case.Rule).Statements))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void Random_elements()
    {
        var generator =
            from index in Gen.Choose(0, NftCases.Sets(NftFamily.Ip).Count - 1)
            from seed in Gen.Choose(0, int.MaxValue)
            from count in Gen.Choose(1, 40)
            select (NftCases.Sets(NftFamily.Ip)[index].Set, seed, count);
        Prop.ForAll(generator.ToArbitrary(), @case =>
        {
            var elements = Elements(@case.Set, new Random(@case.seed), @case.count);
            Assert.Equal(elements, RoundTrip(@case.Set, elements));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Sets()
    {
        foreach (var family in Families)
            foreach (var (set, _) in NftCases.Sets(family))
                Assert.Equal(set, NftSetDecoder.Read(Single(new NftTransaction().Add(set)), out _));
    }

    [Fact]
    public void Tables_and_chains()
    {
        var table = new NftTable(new NftTableKey(NftFamily.Ip6, "t")) { Flags = NftTableFlags.Dormant, Comment = "c" };
        Assert.Equal(table, NftObjectDecoder.Table(Single(new NftTransaction().Add(table))));
        var chain = new NftChain(new NftChainKey(table.Key, "c")) { Base = new NftBaseChain(NftChainType.Route, NftHook.Output, -150, true), Comment = "d" };
        Assert.Equal(chain, NftObjectDecoder.Chain(Single(new NftTransaction().Add(chain))));
    }

    [Fact]
    public void What_is_not_known_stays_as_it_is()
    {
        var foreign = new NftOpaque("xt") { Attributes = [8, 0, 1, 0, 65, 66, 67, 0] };
        var rule = new NftRule(new NftMatch(new NftMeta(NftMetaKey.Mark), NftOperator.Equal, new NftConstant(NftDataType.Mark, NftValue.Number(1))), foreign, new NftCounter());
        Assert.Equal(rule, RoundTrip(NftFamily.Ip, rule));
    }

    [Fact]
    public void Comparisons_of_the_family_that_are_written_out_stay_as_many_as_they_are()
    {
        var family = new NftMatch(new NftMeta(NftMetaKey.Nfproto), NftOperator.Equal, new NftConstant(NftDataType.NfProto, NftValue.Family(NftFamily.Ip6)));
        var address = new NftPrefixMatch(
            new NftPayload(NftField.Ip6Daddr), NftOperator.Equal, new NftConstant(NftDataType.Ipv6Addr, NftValue.Address(IpAddr.Parse("fd00::"))), 8);
        NftStatement[] parts = [family, address, new NftCounter()];
        foreach (var first in parts)
            foreach (var second in parts)
                foreach (var third in parts)
                    foreach (var fourth in parts)
                    {
                        var rule = new NftRule(first, second, third, fourth);
                        Assert.Equal(rule.Statements, RoundTrip(NftFamily.Inet, rule).Statements);
                    }
    }

    [Fact]
    public void Ranges_are_read_in_either_direction()
    {
        var elements = new[]
        {
            new NftElement { Key = NftValue.Port(0), KeyEnd = NftValue.Port(9) },
            new NftElement { Key = NftValue.Port(10), KeyEnd = NftValue.Port(10) },
            new NftElement { Key = NftValue.Port(100), KeyEnd = NftValue.Port(65535) },
        };
        (int Value, bool IsEnd)[] boundaries = [(0, false), (10, true), (10, false), (11, true), (100, false)];
        foreach (var list in new[] { boundaries, [.. boundaries.Reverse()], [.. boundaries.Where(b => b != (10, true))], [.. boundaries.Where(b => b != (10, true)).Reverse()] })
        {
            var read = new List<NftElement>();
            var joiner = new NftIntervalJoiner(read.Add);
            foreach (var (value, isEnd) in list) joiner.Add(new NftElement { Key = NftValue.Port((ushort)value) }, isEnd);
            joiner.Finish();
            Assert.Equal(elements, read.OrderBy(element => element.Key.ToString()));
        }
    }

    /// <summary>Statements that need no anonymous sets, whose names only the kernel gives.</summary>
    private static NftStatement[] Statements(NftFamily family) =>
    [
        .. NftCases.Rules().Where(@case => @case.Family == family && !NftAnonymousSets.Of(NftCases.Table(family), @case.Rule).Any())
            .SelectMany(@case => @case.Rule.Statements),
    ];

    private static NftRule RoundTrip(NftFamily family, NftRule rule)
    {
        var sets = NftCases.Sets(family).ToDictionary(entry => entry.Set.Key.Name, entry => entry.Set);
        var decoder = new NftRuleDecoder(family, sets, new Dictionary<string, NftElements>());
        return decoder.Read(Single(new NftTransaction().Add(NftCases.Chain(family), rule)), out _).Rule;
    }

    private static List<NftElement> RoundTrip(NftSet set, IReadOnlyList<NftElement> elements)
    {
        var read = new List<NftElement>();
        var decoder = new NftElementDecoder(set, read.Add);
        decoder.Read(Single(new NftTransaction().AddElements(set, elements)));
        decoder.Finish();
        return read;
    }

    private static NftElement[] Elements(NftSet set, Random random, int count)
    {
        var elements = new List<NftElement>();
        for (var i = 0; i < count; i++)
        {
            var isInterval = set.Flags.HasFlag(NftSetFlags.Interval);
            // Both ends of a range begin alike, because none of its parts may end before it begins.
            var first = random.Next();
            var key = Value(set.KeyType, new Random(first), isInterval ? i * 3 : random.Next());
            elements.Add(new NftElement
            {
                Key = key,
                KeyEnd = isInterval ? Value(set.KeyType, new Random(first), (i * 3) + 1) : default,
                Data = set.Kind == NftSetKind.Map ? Value(set.DataType, random, random.Next()) : default,
                Verdict = set.Kind == NftSetKind.VerdictMap ? NftVerdict.Goto($"chain-{random.Next(3)}") : null,
                Comment = random.Next(2) == 0 ? null : $"comment {i}",
                Timeout = random.Next(2) == 0 ? null : TimeSpan.FromSeconds(random.Next(1, 1000)),
            });
        }

        return [.. elements];
    }

    /// <summary>A value whose last part is a number, so that numbers in order make keys in order.</summary>
    private static NftData Value(System.Collections.Immutable.ImmutableArray<NftDataType> types, Random random, int number)
    {
        var bytes = new byte[NftDataTypes.ByteLength(types.AsSpan())];
        var last = types[^1].ByteLength();
        if (types.Length > 1 && number >= 100) random.NextBytes(bytes.AsSpan(0, types[0].ByteLength()));
        var offset = types.Length == 1 ? 0 : bytes.Length - NftDataTypes.Padded(last);
        bytes[offset + last - 1] = (byte)number;
        return new NftData(bytes);
    }

    /// <summary>The only message between the begin and the end of the batch.</summary>
    private static NlMessage Single(NftTransaction transaction)
    {
        using var writer = new NlMsgWriter();
        var encoder = new NftBatchEncoder(writer);
        encoder.Encode(transaction);
        Assert.Empty(encoder.Failures);
        var found = default(NlMessage);
        var index = 0;
        foreach (var message in new NlMessages(writer.ToArray()))
            if (index++ == 1)
                found = message;
        Assert.Equal(3, index);
        return found;
    }
}
