using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netfilter.Tests.Nftables.Contract;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Nftables;

/// <summary>No bytes make the decoders (or the text of what they decode) fail in another way than by their own exception.</summary>
public sealed class NftDecoderFuzzTests
{
    private const int Buffers = 1_000_000;

    [Fact]
    [Trait("Category", "Slow")]
    public void Mutated_and_random_buffers()
    {
        var messages = Messages(NftFamily.Ip).Concat(Messages(NftFamily.Inet)).Concat(Messages(NftFamily.Ip6)).ToArray();
        var sets = NftCases.Sets(NftFamily.Ip).ToDictionary(entry => entry.Set.Key.Name, entry => entry.Set);
        var random = new Random(4711);
        var (decoded, refused) = (0, 0);
        for (var i = 0; i < Buffers; i++)
        {
            var bytes = (byte[])messages[random.Next(messages.Length)].Clone();
            if (i % 10 == 0) random.NextBytes(bytes.AsSpan(NlMsgHeader.Size));
            for (var n = random.Next(1, 5); n > 0; n--) bytes[random.Next(NlMsgHeader.Size, bytes.Length)] = Byte(random);
            var length = random.Next(8) == 0 ? random.Next(NlMsgHeader.Size, bytes.Length + 1) : bytes.Length;
            BitConverter.TryWriteBytes(bytes, (uint)length);
            if (Decode(bytes.AsSpan(0, length), sets)) decoded++;
            else refused++;
        }

        Assert.True(decoded > Buffers / 100 && refused > Buffers / 100, $"{decoded} were decoded and {refused} refused: too one-sided to mean something.");
    }

    /// <summary>Mostly bytes that mean something: lengths, types, flags.</summary>
    private static byte Byte(Random random) => random.Next(3) switch
    {
        0 => (byte)random.Next(256),
        1 => (byte)random.Next(24),
        _ => (byte)(0xFF << random.Next(8)),
    };

    private static bool Decode(ReadOnlySpan<byte> bytes, Dictionary<string, NftSet> sets)
    {
        try
        {
            foreach (var message in new NlMessages(bytes)) Decode(message, sets);
            return true;
        }
        catch (NetlinkFormatException)
        {
            return false;
        }
    }

    private static void Decode(NlMessage message, Dictionary<string, NftSet> sets)
    {
        var collector = new NftChangeCollector(null);
        collector.Read(new NlMessages(message.Bytes), []);
        switch ((NftMessage)(byte)message.Header.Type)
        {
            case NftMessage.NewTable: NftText.Of(new NftOperation.AddTable(NftObjectDecoder.Table(message))); break;
            case NftMessage.NewChain: NftText.Of(new NftOperation.AddChain(NftObjectDecoder.Chain(message))); break;
            case NftMessage.NewSet: NftText.Of(new NftOperation.AddSet(NftSetDecoder.Read(message, out _))); break;
            case NftMessage.NewObj: NftText.Of(new NftOperation.AddObject(NftObjectCodec.Read(message))); break;
            case NftMessage.NewFlowtable: NftText.Of(new NftOperation.AddFlowtable(NftFlowtableCodec.Read(message))); break;
            case NftMessage.NewRule:
                var family = (NftFamily)NfGenMessage.Read(message).Family;
                NftText.Of(new NftRuleDecoder(family, sets, new Dictionary<string, NftElements>()).Read(message, out _).Rule);
                break;
            case NftMessage.NewSetElem:
                foreach (var set in new[] { sets["ranges"], sets["endpoints"], sets["verdicts"] })
                {
                    var decoder = new NftElementDecoder(set, element => NftText.Of(set, element));
                    decoder.Read(message);
                    decoder.Finish();
                }

                break;
        }
    }

    private static List<byte[]> Messages(NftFamily family)
    {
        var transaction = NftCases.Prepare(family);
        foreach (var @case in NftCases.Rules().Where(@case => @case.Family == family)) transaction.Add(NftCases.Chain(family), @case.Rule);
        foreach (var (statement, _) in NftLanguage.Statements()) transaction.Add(NftCases.Chain(family), new NftRule(NftCases.Tcp, statement));
        var objects = new NftTableKey(family, "o");
        transaction.Add(NftObject.Of(objects, "q", new NftQuota(10))).Add(new NftFlowtable(new NftFlowtableKey(objects, "f"), [8, 0, 8, 0, 0, 0, 0, 1]))
            .Add(new NftObject(new NftObjectKey(objects, NftObjectKind.CtTimeout, "t"), new NftTimeoutContent(6, NftFamily.Ip, [1, 2, 3])))
            .Add(new NftObject(new NftObjectKey(objects, NftObjectKind.CtExpectation, "e"), new NftExpectationContent(6, NftFamily.Ip, 80, 1, 1)));
        using var writer = new NlMsgWriter();
        new NftBatchEncoder(writer).Encode(transaction);
        var messages = new List<byte[]>();
        foreach (var message in new NlMessages(writer.ToArray()))
            if (message.Header.Type >= 0x100 && message.Bytes.Length > NlMsgHeader.Size)
                messages.Add(message.Bytes.ToArray());
        return messages;
    }
}
