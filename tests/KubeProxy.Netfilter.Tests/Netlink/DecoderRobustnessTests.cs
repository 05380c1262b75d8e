using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Ipset;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Tests.Conntrack;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Netlink;

/// <summary>Whatever the bytes are, decoders give a value or a <see cref="NetlinkException"/>.</summary>
public sealed class DecoderRobustnessTests
{
    private static readonly NlMessageVisitor[] Decoders =
    [
        static message => RouteDecoder.DecodeAddress(message),
        static message => RouteDecoder.DecodeLink(message),
        static message => FlowDecoder.Decode(message),
        static message => NlExtendedAck.Read(message, out _),
        static message => IpsetClient.DecodeName(message),
        static message => ConntrackMonitor.Decode(message, FlowFilter.All, []),
        static message => ExpectationDecoder.Decode(message),
        static message => ConntrackCpuStatistics.Decode(message),
        static message => ConntrackUsage.Decode(message),
        static message => RouteDecoder.DecodeChange(message),
        static message => NfGenMessage.Read(message),
    ];

    [Fact]
    public void Decoders_survive_random_bytes()
    {
        var random = new Random(20_260_101);
        var buffer = new byte[256];
        for (var i = 0; i < 300_000; i++)
        {
            var datagram = buffer.AsSpan(0, random.Next(buffer.Length));
            random.NextBytes(datagram);
            if (datagram.Length >= 16 && i % 8 != 0) BitConverter.TryWriteBytes(datagram, datagram.Length); // reach further in
            Decode(datagram, Decoders[i % Decoders.Length]);
        }
    }

    [Fact]
    public void Decoders_survive_mutations_of_good_messages()
    {
        var random = new Random(20_260_102);
        var seeds = Seeds();
        Assert.All(seeds, (seed, i) => Assert.True(Decode(seed, Decoders[i])));
        for (var i = 0; i < 700_000; i++)
        {
            var kind = i % seeds.Length;
            var datagram = seeds[kind].ToArray().AsSpan();
            for (var changes = random.Next(1, 4); changes > 0; changes--) datagram[random.Next(datagram.Length)] = (byte)random.Next(256);
            if (random.Next(8) == 0) datagram = datagram[..random.Next(datagram.Length)];
            Decode(datagram, Decoders[random.Next(4) == 0 ? random.Next(Decoders.Length) : kind]);
        }
    }

    /// <summary>Whether the datagram is well-formed to the decoder; any other exception than the allowed one passes through.</summary>
    private static bool Decode(ReadOnlySpan<byte> datagram, NlMessageVisitor decode)
    {
        try
        {
            foreach (var message in new NlMessages(datagram)) decode(message);
            return true;
        }
        catch (NetlinkFormatException)
        {
            return false;
        }
    }

    /// <summary>A good message for each of the first decoders.</summary>
    private static byte[][] Seeds()
    {
        using var address = new NlMsgWriter();
        RouteEncoder.PutAddress(address, RtMessage.NewAddress, NlMsgFlags.None,
            new InterfaceAddress(3, IpAddr.Parse("fd00::1"), 64, Flags: AddressFlags.Permanent));
        using var link = new NlMsgWriter();
        RouteEncoder.PutNewLink(link, "kube-ipvs0", "dummy");
        using var flow = new NlMsgWriter();
        FlowMessages.Put(flow, FlowMessages.Full());
        using var happened = new NlMsgWriter();
        FlowMessages.Put(happened, FlowMessages.Udp("10.0.0.1:1000", "10.96.0.10:53", "10.244.0.5:5353"), CtMessage.Delete, NlMsgFlags.None);
        using var expectation = new NlMsgWriter();
        var tuple = FlowMessages.Full().Original;
        ExpectationEncoder.PutCreate(expectation, new Expectation(tuple, tuple, tuple) { Helper = "ftp", Nat = new ExpectationNat(true, tuple) });
        using var counted = new NlMsgWriter();
        counted.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.GetCpuStatistics, NlMsgFlags.Multi, 0, resourceId: 1);
        counted.PutU32BigEndian(CtCpuStatisticsAttribute.Insert, 1);
        using var usage = new NlMsgWriter();
        usage.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.GetStatistics, NlMsgFlags.None, 0);
        usage.PutU32BigEndian(CtStatisticsAttribute.Entries, 1);
        using var ipset = new NlMsgWriter();
        ipset.BeginMessage(NfSubsystem.IpSet, 7, NlMsgFlags.Multi, 0); // IPSET_CMD_LIST
        ipset.PutU8(IpsetAttribute.Protocol, 6);
        ipset.PutString(IpsetAttribute.SetName, "KUBE-CLUSTER-IP");
        var request = new NlMsgHeader(20, 0xA00, NlMsgFlags.Request, 3, 0);
        return [address.ToArray(), link.ToArray(), flow.ToArray(),
            ScriptedReply.Error(request, 2, [8, 0, 1, 0, (byte)'n', (byte)'o', 0, 0, 8, 0, 2, 0, 20, 0, 0, 0]), ipset.ToArray(),
            happened.ToArray(), expectation.ToArray(), counted.ToArray(), usage.ToArray()];
    }

    private enum IpsetAttribute : ushort
    {
        Protocol = 1, // IPSET_ATTR_PROTOCOL
        SetName = 2, // IPSET_ATTR_SETNAME
    }
}
