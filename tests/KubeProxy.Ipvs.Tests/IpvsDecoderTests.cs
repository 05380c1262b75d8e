using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;

namespace KubeProxy.Ipvs.Tests;

public sealed class IpvsDecoderTests
{
    /// <summary>Beyond 32 bits, so that the 64 bit counters must have been read.</summary>
    private static readonly IpvsStatistics Statistics = new(
        1UL << 40, (1UL << 41) + 1, (1UL << 42) + 2, (1UL << 50) + 3, (1UL << 51) + 4, 5, 6, 7, (1UL << 33) + 8, (1UL << 34) + 9);

    [Fact]
    public void A_service_is_decoded_as_it_was() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll(IpvsMessages.Services().ToArbitrary(), (Action<VirtualService>)(service =>
        {
            var state = new VirtualServiceState(service, Statistics);
            Assert.Equal(state, Decode(writer => IpvsMessages.PutState(writer, state), IpvsDecoder.DecodeService));
        })));

    [Fact]
    public void A_destination_is_decoded_as_it_was() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll(IpvsMessages.Destinations().ToArbitrary(), (Action<Destination>)(destination =>
        {
            var state = new DestinationState(destination, 3, uint.MaxValue, 1, Statistics);
            Assert.Equal(state, Decode(
                writer => IpvsMessages.PutState(writer, state), message => IpvsDecoder.DecodeDestination(message, IpFamily.IPv4)));
        })));

    [Fact]
    public void Old_kernels_count_in_32_bits_and_do_not_tell_the_family_of_a_destination()
    {
        var state = Decode(writer =>
        {
            writer.BeginMessage(IpvsMessages.Family, (byte)IpvsCommand.NewDestination);
            using var nest = writer.BeginNested(IpvsAttribute.Destination);
            writer.PutBytes(IpvsDestinationAttribute.Address, IpAddr.Parse("fd00::1").ToIPAddress().GetAddressBytes());
            writer.PutU16BigEndian(IpvsDestinationAttribute.Port, 80);
            using var statistics = writer.BeginNested(IpvsDestinationAttribute.Statistics);
            writer.PutU32(IpvsStatisticsAttribute.Connections, 7);
            writer.PutU64(IpvsStatisticsAttribute.BytesIn, 8);
        }, message => IpvsDecoder.DecodeDestination(message, IpFamily.IPv6));

        Assert.Equal(new IpEndpoint(IpAddr.Parse("fd00::1"), 80), state?.Destination.Endpoint);
        Assert.Equal(new IpvsStatistics { Connections = 7, BytesIn = 8 }, state?.Statistics);
    }

    [Theory]
    [InlineData(0xFFFFFFFF, null)]
    [InlineData(0xFFFFFF00, 24)]
    [InlineData(0x80000000, 1)]
    [InlineData(0x00000000, 0)]
    [InlineData(0xFF00FF00, 8)] // a gap
    public void The_netmask_of_IPv4_is_a_mask(uint mask, int? expected) => Assert.Equal(expected, DecodeNetmask(IpFamily.IPv4,
        writer => writer.PutU32BigEndian(IpvsServiceAttribute.Netmask, mask)));

    [Theory]
    [InlineData(128, null)]
    [InlineData(64, 64)]
    [InlineData(1000, null)]
    public void The_netmask_of_IPv6_is_a_length(uint length, int? expected) => Assert.Equal(expected, DecodeNetmask(IpFamily.IPv6,
        writer => writer.PutU32(IpvsServiceAttribute.Netmask, length)));

    [Fact]
    public void What_has_no_place_in_the_model_is_left_out()
    {
        var mapped = new byte[16];
        (mapped[10], mapped[11], mapped[12]) = (0xFF, 0xFF, 10);
        Assert.Null(Decode(writer => PutService(writer, 10, 6, mapped), IpvsDecoder.DecodeService)); // takes it for one of IPv4
        Assert.Null(Decode(writer => PutService(writer, 7, 6, new byte[16]), IpvsDecoder.DecodeService)); // another family
        Assert.Null(Decode(writer => PutService(writer, 2, 256, new byte[16]), IpvsDecoder.DecodeService)); // no protocol of IP
        Assert.NotNull(Decode(writer => PutService(writer, 2, 51, new byte[16]), IpvsDecoder.DecodeService)); // AH
        Assert.Null(Decode(writer => IpvsEncoder.PutCommand(writer, IpvsMessages.Family, IpvsCommand.Flush), IpvsDecoder.DecodeService));
    }

    [Fact]
    public void A_field_of_another_length_is_an_error()
    {
        Assert.Throws<NetlinkFormatException>(() => Decode(writer => PutService(writer, 2, 6, [10, 0, 0, 1]), IpvsDecoder.DecodeService));
        Assert.Throws<NetlinkFormatException>(() => Decode(writer =>
        {
            writer.BeginMessage(IpvsMessages.Family, (byte)IpvsCommand.SetConfig);
            writer.PutU64(IpvsAttribute.TimeoutTcp, 1);
        }, IpvsDecoder.DecodeTimeouts));
        Assert.Throws<NetlinkFormatException>(() => Decode(writer => writer.BeginMessage(0x1b, NlMsgFlags.None), IpvsDecoder.DecodeInfo));
    }

    private static int? DecodeNetmask(IpFamily family, Action<NlMsgWriter> put) => Decode(writer =>
    {
        writer.BeginMessage(IpvsMessages.Family, (byte)IpvsCommand.NewService);
        using var nest = writer.BeginNested(IpvsAttribute.Service);
        writer.PutU16(IpvsServiceAttribute.AddressFamily, (ushort)(family == IpFamily.IPv4 ? 2 : 10));
        writer.PutU32(IpvsServiceAttribute.FirewallMark, 1);
        put(writer);
    }, IpvsDecoder.DecodeService)!.Service.PersistencePrefixLength;

    private static void PutService(NlMsgWriter writer, ushort family, ushort protocol, byte[] address)
    {
        writer.BeginMessage(IpvsMessages.Family, (byte)IpvsCommand.NewService);
        using var nest = writer.BeginNested(IpvsAttribute.Service);
        writer.PutU16(IpvsServiceAttribute.AddressFamily, family);
        writer.PutU16(IpvsServiceAttribute.Protocol, protocol);
        writer.PutBytes(IpvsServiceAttribute.Address, address);
        writer.PutU16BigEndian(IpvsServiceAttribute.Port, 80);
    }

    private static T? Decode<T>(Action<NlMsgWriter> put, Func<NlMessage, T?> decode) where T : class
    {
        using var writer = new NlMsgWriter();
        put(writer);
        T? decoded = null;
        foreach (var message in new NlMessages(writer.ToArray())) decoded = decode(message);
        return decoded;
    }
}
