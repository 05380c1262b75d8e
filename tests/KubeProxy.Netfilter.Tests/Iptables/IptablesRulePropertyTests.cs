using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Iptables;

public class IptablesRulePropertyTests
{
    private static readonly Gen<bool> Bool = Gen.Elements(true, false);
    private static readonly Gen<uint> Number = Gen.Choose(0, int.MaxValue).Select(value => (uint)value);
    private static readonly Gen<ushort> Port = Gen.Choose(1, 65535).Select(value => (ushort)value);

    [Fact]
    public void What_is_encoded_is_decoded_as_it_was() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(500),
        Prop.ForAll(Rules().ToArbitrary(), (Action<(IpFamily Family, IptablesRule Rule)>)(given =>
        {
            var encoded = IptablesClient.Encode(given.Rule, given.Family).Canonical();
            Assert.Equal(given.Rule, IptablesClient.Decode(encoded, given.Family));
        })));

    [Fact]
    public void Any_bytes_of_an_extension_are_decoded_to_something() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(500),
        Prop.ForAll(Extensions().ToArbitrary(), (Action<NftOpaque>)(expression =>
        {
            var rule = expression.Name == XtExtension.Target ? new NftRule(new NftCounter(), expression) : new NftRule(expression, new NftCounter());
            foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
            {
                var decoded = IptablesClient.Decode(rule, family);
                Assert.NotEmpty(decoded.ToString());
                // What is not known is sent back as it came.
                if (decoded.Matches is [UnknownMatch] || decoded.Target is UnknownTarget) Assert.Equal(rule, IptablesClient.Encode(decoded, family));
            }
        })));

    [Fact]
    public void A_chain_becomes_the_other_one() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(500),
        Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 5)).Zip(Gen.ArrayOf(Gen.Choose(0, 5))).ToArbitrary(), (Action<(int[] Found, int[] Wanted)>)(given =>
        {
            var found = given.Found.Select((rule, index) => (Rule(rule), (ulong)index + 1)).ToList();
            ImmutableArray<IptablesRule> wanted = [.. given.Wanted.Select(Rule)];
            var edit = ChainEdit.Between(found, wanted);
            var left = found.Where(rule => !edit.Deleted.Contains(rule.Item2)).ToList();
            var at = edit.Before is { } before ? left.FindIndex(rule => rule.Item2 == before) : left.Count;
            Assert.Equal(wanted, [.. left[..at].Select(rule => rule.Item1), .. edit.Inserted, .. left[at..].Select(rule => rule.Item1)]);
        })));

    [Fact]
    public void Blocks_of_a_range_are_the_range() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(300),
        Prop.ForAll(Number.Zip(Gen.Choose(0, 100_000)).ToArbitrary(), (Action<(uint First, int Count)>)(given =>
        {
            var last = (UInt128)Math.Min(uint.MaxValue, given.First + (ulong)given.Count);
            var range = new IpRange(IpAddr.FromValue(IpFamily.IPv4, given.First), IpAddr.FromValue(IpFamily.IPv4, last));
            var next = range.First.Value;
            foreach (var block in SourceBlocks.Cut(range))
            {
                Assert.Equal(next, block.First.Value);
                next = block.Last.Value + 1;
            }

            Assert.Equal(last + 1, next);
        })));

    [Theory]
    [InlineData("0.0.0.0", "255.255.255.255", "0.0.0.0/0")]
    [InlineData("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0")]
    [InlineData("10.0.0.1", "10.0.0.4", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/32")]
    [InlineData("fd00::", "fd00::ff", "fd00::/120")]
    public void Blocks_of_ranges(string first, string last, string blocks) =>
        Assert.Equal(blocks, string.Join(' ', SourceBlocks.Cut(new IpRange(IpAddr.Parse(first), IpAddr.Parse(last)))));

    private static IptablesRule Rule(int number) => IptablesLayout.Rule(IptablesTarget.Return, new MarkMatch((uint)number));

    private static Gen<NftOpaque> Extensions() =>
        from expression in Gen.Elements(XtExtension.Match, XtExtension.Target)
        from name in Gen.Elements("comment", "tcp", "sctp", "addrtype", "conntrack", "statistic", "recent", "nfacct", "DNAT", "MASQUERADE", "MARK", "REJECT", "limit")
        from revision in Gen.Choose(0, 3)
        from length in Gen.Elements(0, 3, 8, 16, 24, 40, 48, 168, 232, 256, 296)
        from seed in Gen.Choose(0, int.MaxValue)
        select new XtExtension(name, (uint)revision, Bytes(length, seed)).ToExpression(expression);

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static Gen<(IpFamily Family, IptablesRule Rule)> Rules() =>
        from family in Gen.Elements(IpFamily.IPv4, IpFamily.IPv6)
        from protocol in Gen.Elements(Protocol.Tcp, Protocol.Udp, Protocol.Sctp)
        from source in Addresses(family)
        from destination in Addresses(family)
        from input in Interfaces()
        from output in Interfaces()
        from matches in Gen.ListOf(Matches())
        from target in Targets(family)
        select (family, new IptablesRule
        {
            Source = source,
            Destination = destination,
            InputInterface = input,
            OutputInterface = output,
            Protocol = new ProtocolMatch(protocol),
            Matches = WithOnePortMatch(matches),
            Target = target,
        });

    // Two comparisons of ports in a row are one match of iptables.
    private static ImmutableArray<IptablesMatch> WithOnePortMatch(IEnumerable<IptablesMatch> matches)
    {
        var ports = 0;
        return [.. matches.Take(6).Where(match => match is not PortMatch || ports++ == 0)];
    }

    private static Gen<AddressMatch?> Addresses(IpFamily family) =>
        from present in Bool
        from value in Number
        from negated in Bool
        from length in Gen.Choose(1, family == IpFamily.IPv4 ? 32 : 128)
        let address = IpAddr.FromValue(family, family == IpFamily.IPv4 ? value : ((UInt128)0xfd00 << 112) | value)
        select present ? new AddressMatch(new Cidr(address, length), negated) : null;

    private static Gen<InterfaceMatch?> Interfaces() =>
        from name in Gen.Elements<string?>(null, "eth0", "cali+", "a23456789012345")
        from negated in Bool
        select name is null ? null : new InterfaceMatch(name, negated);

    private static Gen<IptablesMatch> Matches() => Gen.OneOf(
        Gen.Elements("a", "default/web -> 10.0.0.1:80", "\"quoted\"").Select(text => (IptablesMatch)new CommentMatch(text)),
        from port in Port from negated in Bool select (IptablesMatch)new PortMatch(null, new PortRange(port, port, negated)),
        from first in Port from second in Port select (IptablesMatch)new PortMatch(PortRange.Single(first), PortRange.Single(second)),
        Gen.Constant((IptablesMatch)PortMatch.Any),
        Gen.Elements<IptablesMatch>(new AddressTypeMatch(AddressTypes.Local, AddressTypes.None), new AddressTypeMatch(AddressTypes.None, AddressTypes.Unicast | AddressTypes.Local)),
        from states in Gen.Choose(1, 15) from negated in Bool select (IptablesMatch)new ConntrackMatch((ConntrackStates)states, negated),
        from value in Number from mask in Number from negated in Bool select (IptablesMatch)new MarkMatch(value & (mask | 1), mask | 1, negated),
        Number.Select(value => (IptablesMatch)new StatisticMatch(value)),
        from seconds in Number from reap in Bool select (IptablesMatch)new RecentMatch("KUBE-SEP-A", RecentAction.Check, seconds, reap),
        Gen.Elements<IptablesMatch>(new RecentMatch("x", RecentAction.Set), new AccountingMatch("counter")));

    private static Gen<IptablesTarget?> Targets(IpFamily family) => Gen.OneOf(
        Gen.Elements<IptablesTarget?>(
            null, IptablesTarget.Accept, IptablesTarget.Drop, IptablesTarget.Return, IptablesTarget.Jump("KUBE-SERVICES"),
            new VerdictTarget(NftVerdict.Goto("x")), new RejectTarget(), new MasqueradeTarget(true), new MasqueradeTarget(false),
            MarkTarget.Or(0x4000), MarkTarget.Xor(0x4000)),
        from port in Port
        select (IptablesTarget?)new DnatTarget(new IpEndpoint(IpAddr.Parse(family == IpFamily.IPv4 ? "10.0.0.1" : "fd00::1"), port)));
}
