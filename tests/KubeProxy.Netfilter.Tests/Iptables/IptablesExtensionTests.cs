using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Iptables;

public sealed class IptablesExtensionTests
{
    private const int Buffers = 1_000_000;

    public static TheoryData<IpFamily, string> Samples() => [.. IptablesSamples.All.Select(sample => new TheoryDataRow<IpFamily, string>(sample.Family, sample.Text))];

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_rule_has_the_text_of_iptables_and_is_read_as_it_was_written(IpFamily family, string text)
    {
        var rule = IptablesSamples.All.Single(sample => sample.Family == family && sample.Text == text).Rule;
        Assert.Equal(text, IptablesText.Arguments(rule, family));
        var read = IptablesClient.Decode(IptablesClient.Encode(rule, family).Canonical(), family);
        Assert.Equal(rule, read);
        Assert.Equal(rule.GetHashCode(), read.GetHashCode());
    }

    [Fact]
    public void What_a_family_does_not_have_is_refused()
    {
        Assert.Throws<ArgumentException>(() => IptablesClient.Encode(new IptablesRule { Target = new RejectTarget(RejectAnswer.PolicyFail) }, IpFamily.IPv4));
        Assert.Throws<ArgumentException>(() => IptablesClient.Encode(new IptablesRule { Matches = [new Eui64Match()] }, IpFamily.IPv4));
        Assert.Throws<ArgumentException>(() => IptablesClient.Encode(new IptablesRule { Matches = [new PortMatch(null, PortRange.Single(1))], Protocol = new ProtocolMatch((Protocol)1) }, IpFamily.IPv4));
        Assert.Throws<ArgumentException>(() => IptablesClient.Encode(new IptablesRule { Target = new TproxyTarget(1, IpAddr.Parse("fd00::1")) }, IpFamily.IPv4));
    }

    [Fact]
    public void A_target_that_others_follow_stays_where_it_is()
    {
        var rule = new NftRule(new NftLog("x") { Group = 1 }, new NftVerdictStatement(NftVerdict.Drop));
        var encoded = IptablesClient.Encode(IptablesClient.Decode(rule, IpFamily.IPv4), IpFamily.IPv4);
        Assert.Equal(rule.Statements, encoded.Statements.Where(statement => statement is not NftCounter));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Mutated_and_random_structs_are_read_as_something_that_is_written_back_as_it_was()
    {
        var infos = Infos().ToArray();
        var random = new Random(4711);
        var (known, unknown) = (0, 0);
        for (var i = 0; i < Buffers; i++)
        {
            var (expression, name, revision, sample) = infos[random.Next(infos.Length)];
            var info = (byte[])sample.Clone();
            if (i % 10 == 0) random.NextBytes(info);
            for (var n = random.Next(4); n > 0; n--) info[random.Next(info.Length)] = Byte(random);
            var length = random.Next(50) == 0 ? random.Next(info.Length + 1) : info.Length;
            var opaque = new XtExtension(name, revision, info.AsSpan(0, length)).ToExpression(expression);
            foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
            {
                if (Check(opaque, family, name)) known++;
                else unknown++;
            }
        }

        Assert.True(known > Buffers / 10 && unknown > Buffers / 10, $"{known} were known and {unknown} not: too one-sided to mean something.");
    }

    private static bool Check(NftOpaque opaque, IpFamily family, string name)
    {
        var context = new XtContext(family, new ProtocolMatch(name switch { "tcp" => Protocol.Tcp, "udp" => Protocol.Udp, _ => Protocol.Sctp }));
        IptablesRule rule = opaque.Name == XtExtension.Target
            ? new() { Protocol = context.Protocol, Target = XtTargets.Table.Read(opaque, context) ?? new UnknownTarget(opaque) }
            : new() { Protocol = context.Protocol, Matches = [XtMatches.Table.Read(opaque, context) ?? new UnknownMatch(opaque)] };
        Assert.NotEmpty(IptablesText.Arguments(rule, family));
        var encoded = IptablesClient.Encode(rule, family);
        var isKnown = rule.Matches is not [UnknownMatch] && rule.Target is not UnknownTarget;
        var written = encoded.Statements.Single(statement => statement is NftOpaque);
        if (!isKnown || !IsExact(rule)) Assert.Equal(opaque, written);
        // Of those, bytes that the kernel does not look at may differ: what is read is the same.
        Assert.Equal(rule, IptablesClient.Decode(encoded, family));
        return isKnown;
    }

    private static bool IsExact(IptablesRule rule) => rule.Target is { } target ? XtTargets.Table.Find(target, null) is { IsExact: true } or null
        : rule.Matches is [var match] && XtMatches.Table.Find(match, null) is { IsExact: true } or null;

    private static IEnumerable<(string Expression, string Name, uint Revision, byte[] Info)> Infos()
    {
        foreach (var codec in XtMatches.Table.Codecs) yield return (XtExtension.Match, codec.Name, codec.Revision, new byte[codec.Size]);
        foreach (var codec in XtTargets.Table.Codecs) yield return (XtExtension.Target, codec.Name, codec.Revision, new byte[codec.Size]);
        foreach (var (family, _, rule) in IptablesSamples.All)
        {
            foreach (var statement in IptablesClient.Encode(rule, family).Statements)
            {
                if (statement is not NftOpaque opaque || !XtExtension.TryRead(opaque, out var extension)) continue;
                var (name, revision, info) = (extension.Name, extension.Revision, extension.Info.ToArray());
                yield return (opaque.Name, name, revision, info);
            }
        }
    }

    /// <summary>Mostly bytes that mean something: flags and small numbers.</summary>
    private static byte Byte(Random random) => random.Next(3) switch
    {
        0 => (byte)random.Next(256),
        1 => (byte)random.Next(24),
        _ => (byte)(0xFF << random.Next(8)),
    };
}
