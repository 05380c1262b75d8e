using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Wire;
using KubeProxy.Netlink;

namespace KubeProxy.Ipvs.Tests;

/// <summary>Whatever the bytes are, the decoders give a value or a <see cref="NetlinkException"/>.</summary>
public sealed class IpvsDecoderFuzzTests
{
    private static readonly NlMessageVisitor[] Decoders =
    [
        static message => IpvsDecoder.DecodeService(message),
        static message => IpvsDecoder.DecodeDestination(message, IpFamily.IPv4),
        static message => IpvsDecoder.DecodeInfo(message),
        static message => IpvsDecoder.DecodeTimeouts(message),
    ];

    [Fact]
    public void Random_bytes()
    {
        var random = new Random(20_261_126);
        byte[] commands = [(byte)IpvsCommand.NewService, (byte)IpvsCommand.NewDestination, (byte)IpvsCommand.SetInfo, (byte)IpvsCommand.SetConfig];
        var buffer = new byte[256];
        for (var i = 0; i < 300_000; i++)
        {
            var datagram = buffer.AsSpan(0, random.Next(buffer.Length));
            random.NextBytes(datagram);
            if (datagram.Length >= 28 && i % 8 != 0) // reach further in
            {
                BitConverter.TryWriteBytes(datagram, datagram.Length);
                datagram[16] = commands[i % 4];
                BitConverter.TryWriteBytes(datagram[20..], (ushort)random.Next(4, 32));
                BitConverter.TryWriteBytes(datagram[22..], (ushort)random.Next(0, 8));
            }

            Decode(datagram, Decoders[i % 4]);
        }
    }

    [Fact]
    public void Good_messages_with_changes()
    {
        var random = new Random(20_261_127);
        var seeds = Seeds();
        Assert.All(seeds, (seed, i) => Assert.True(Decode(seed, Decoders[i % 4])));
        for (var i = 0; i < 700_000; i++)
        {
            var kind = i % seeds.Length;
            var datagram = seeds[kind].ToArray().AsSpan();
            for (var changes = random.Next(1, 4); changes > 0; changes--) datagram[random.Next(datagram.Length)] = (byte)random.Next(256);
            if (random.Next(8) == 0) datagram = datagram[..random.Next(datagram.Length)];
            Decode(datagram, Decoders[kind % 4]);
        }
    }

    private static byte[][] Seeds()
    {
        using var service = new NlMsgWriter();
        IpvsMessages.PutState(service, new VirtualServiceState(IpvsCases.Services()[6], default));
        using var destination = new NlMsgWriter();
        IpvsMessages.PutState(destination, new DestinationState(IpvsCases.Destinations(IpFamily.IPv6)[6], 1, 2, 3, default));
        using var info = new NlMsgWriter();
        IpvsEncoder.PutCommand(info, IpvsMessages.Family, IpvsCommand.SetInfo);
        info.PutU32(IpvsInfoAttribute.Version, 0x010201);
        info.PutU32(IpvsInfoAttribute.ConnectionTableSize, 4096);
        using var timeouts = new NlMsgWriter();
        IpvsEncoder.PutTimeouts(timeouts, IpvsMessages.Family, new IpvsTimeouts(TimeSpan.FromHours(1), TimeSpan.Zero, TimeSpan.FromSeconds(1)));
        return [service.ToArray(), destination.ToArray(), info.ToArray(), timeouts.ToArray()];
    }

    /// <summary>Whether the datagram is well-formed to the decoder; any other exception than the allowed one passes through.</summary>
    private static bool Decode(ReadOnlySpan<byte> datagram, NlMessageVisitor decode)
    {
        try
        {
            foreach (var message in new NlMessages(datagram)) decode(message);
            return true;
        }
        catch (NetlinkException)
        {
            return false;
        }
    }
}
