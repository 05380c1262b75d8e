using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;

namespace KubeProxy.Ipvs.Tests;

/// <summary>Requests byte by byte, as ipvsadm sends the same ones (little endian).</summary>
public sealed class IpvsEncoderTests
{
    private static readonly GenericFamily Family = new("IPVS", 0x1b, 1);

    private static readonly VirtualServiceKey Key = new(IpAddr.Parse("10.96.0.10"), Protocol.Tcp, 80);

    // nlmsghdr of 16 bytes, of which length and type count here; genlmsghdr: command, version 1
    private const string KeyNest = """
        3000 0180
          0600 0100 0200 0000
          0600 0200 0600 0000
          1400 0300 0a60000a 00000000 00000000 00000000
          0600 0400 0050 0000
        """;

    private const string EndpointFields = """
          0600 0b00 0200 0000
          1400 0100 0af40001 00000000 00000000 00000000
          0600 0200 1f90 0000
        """;

    public static TheoryData<string, IpvsOperation, string> Operations()
    {
        var service = new VirtualService { Key = Key, Scheduler = "rr" };
        var destination = new Destination { Endpoint = new IpEndpoint(IpAddr.Parse("10.244.0.1"), 8080) };
        return new TheoryData<string, IpvsOperation, string>
        {
            { "delete service", new IpvsOperation.DeleteService(Key), "03010000" + KeyNest },
            {
                "delete destination", new IpvsOperation.DeleteDestination(Key, destination.Endpoint),
                "07010000" + KeyNest + "2800 0280" + EndpointFields
            },
            {
                "add service", new IpvsOperation.AddService(service),
                """
                01010000
                5400 0180
                  0600 0100 0200 0000
                  0600 0200 0600 0000
                  1400 0300 0a60000a 00000000 00000000 00000000
                  0600 0400 0050 0000
                  0700 0600 727200 00
                  0c00 0700 00000000 ffffffff
                  0800 0800 00000000
                  0800 0900 ffffffff
                """
            },
            {
                "set service of IPv6 with everything", new IpvsOperation.SetService(new VirtualService
                {
                    Key = new VirtualServiceKey(IpAddr.Parse("fd00:10:96::10"), Protocol.Sctp, 443), Scheduler = "mh",
                    Flags = VirtualServiceFlags.OnePacket | VirtualServiceFlags.Fallback | VirtualServiceFlags.HashPort | VirtualServiceFlags.Scheduler3,
                    Persistence = TimeSpan.FromSeconds(10_800), PersistencePrefixLength = 64, PersistenceEngine = "sip",
                }),
                """
                02010000
                5c00 0180
                  0600 0100 0a00 0000
                  0600 0200 8400 0000
                  1400 0300 fd000010 00960000 00000000 00000010
                  0600 0400 01bb 0000
                  0700 0600 6d6800 00
                  0800 0b00 73697000
                  0c00 0700 3d000000 ffffffff
                  0800 0800 302a0000
                  0800 0900 40000000
                """
            },
            {
                "add service by mark", new IpvsOperation.AddService(new VirtualService
                {
                    Key = new VirtualServiceKey(IpFamily.IPv6, 0x1234), Scheduler = "wlc", Persistence = TimeSpan.FromSeconds(1),
                }),
                """
                01010000
                3800 0180
                  0600 0100 0a00 0000
                  0800 0500 34120000
                  0800 0600 776c6300
                  0c00 0700 01000000 ffffffff
                  0800 0800 01000000
                  0800 0900 80000000
                """
            },
            {
                "netmask of IPv4", new IpvsOperation.AddService(new VirtualService
                {
                    Key = new VirtualServiceKey(IpFamily.IPv4, 1), Scheduler = "wlc", Persistence = TimeSpan.FromSeconds(1), PersistencePrefixLength = 20,
                }),
                """
                01010000
                3800 0180
                  0600 0100 0200 0000
                  0800 0500 01000000
                  0800 0600 776c6300
                  0c00 0700 01000000 ffffffff
                  0800 0800 01000000
                  0800 0900 fffff000
                """
            },
            {
                "add destination", new IpvsOperation.AddDestination(Key, destination with { Weight = 7, UpperThreshold = 1000, LowerThreshold = 2 }),
                "05010000" + KeyNest + "4800 0280" + EndpointFields + """
                  0800 0300 00000000
                  0800 0400 07000000
                  0800 0500 e8030000
                  0800 0600 02000000
                """
            },
            {
                "set destination of another family through GUE", new IpvsOperation.SetDestination(Key, new Destination
                {
                    Endpoint = new IpEndpoint(IpAddr.Parse("fd00::1"), 8080), Weight = 0, Method = ForwardingMethod.Tunnel,
                    Tunnel = new DestinationTunnel(TunnelKind.Gue, 6080, TunnelFlags.Checksum),
                }),
                "06010000" + KeyNest + """
                6000 0280
                  0600 0b00 0a00 0000
                  1400 0100 fd000000 00000000 00000000 00000001
                  0600 0200 1f90 0000
                  0800 0300 02000000
                  0800 0400 00000000
                  0800 0500 00000000
                  0800 0600 00000000
                  0500 0d00 01 000000
                  0600 0e00 17c0 0000
                  0600 0f00 0100 0000
                """
            },
        };
    }

    [Theory]
    [MemberData(nameof(Operations), DisableDiscoveryEnumeration = true)]
    public void An_operation_is_a_message(string name, IpvsOperation operation, string expected)
    {
        Assert.SkipUnless(BitConverter.IsLittleEndian, $"the expected bytes of {name} are little endian");
        AssertBytes(expected, writer => IpvsEncoder.Put(writer, Family, operation));
    }

    [Fact]
    public void Other_requests()
    {
        Assert.SkipUnless(BitConverter.IsLittleEndian, "the expected bytes are little endian");
        AssertBytes("11010000", writer => IpvsEncoder.PutCommand(writer, Family, IpvsCommand.Flush));
        AssertBytes("08010000" + KeyNest, writer => IpvsEncoder.PutKey(writer, Family, IpvsCommand.GetDestination, Key));
        AssertBytes("0c010000 0800 0400 100e0000 0800 0500 00000000 0800 0600 1e000000", writer => IpvsEncoder.PutTimeouts(
            writer, Family, new IpvsTimeouts(TimeSpan.FromHours(1), TimeSpan.Zero, TimeSpan.FromSeconds(30))));
    }

    [Fact]
    public void What_the_wire_cannot_express_is_an_argument_error()
    {
        using var writer = new NlMsgWriter();
        var service = new VirtualService { Key = Key, Scheduler = "rr" };
        foreach (var wrong in new[]
        {
            service with { Persistence = TimeSpan.FromSeconds(-1) }, service with { Persistence = TimeSpan.MaxValue },
            service with { PersistencePrefixLength = 33 }, service with { PersistencePrefixLength = -1 },
        })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => IpvsEncoder.Put(writer, Family, new IpvsOperation.AddService(wrong)));
            writer.Reset();
        }
    }

    private static void AssertBytes(string expected, Action<NlMsgWriter> put)
    {
        using var writer = new NlMsgWriter();
        put(writer);
        var bytes = writer.ToArray();
        Assert.Equal(string.Concat(expected.Where(char.IsAsciiHexDigit)), Convert.ToHexStringLower(bytes.AsSpan(NlMsgHeader.Size)));
        Assert.Equal([(byte)bytes.Length, (byte)(bytes.Length >> 8), 0, 0, 0x1b, 0], bytes[..6]);
    }
}
