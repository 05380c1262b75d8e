using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;

namespace KubeProxy.Ipvs.Tests;

/// <summary>Arbitrary objects, and messages as the kernel makes them.</summary>
internal static class IpvsMessages
{
    public static GenericFamily Family { get; } = new("IPVS", 0x1b, 1);

    private static readonly Gen<ushort> Port = Gen.Choose(0, 65_535).Select(value => (ushort)value);
    private static readonly Gen<uint> Number = Gen.Choose(0, int.MaxValue).Select(value => (uint)value);
    private static readonly Gen<IpFamily> AnyFamily = Gen.Elements(IpFamily.IPv4, IpFamily.IPv6);

    public static Gen<VirtualServiceKey> Keys() => Gen.OneOf(
        from family in AnyFamily
        from mark in Gen.Choose(1, int.MaxValue)
        select new VirtualServiceKey(family, (uint)mark),
        from address in Addresses()
        from protocol in Gen.Elements(Protocol.Tcp, Protocol.Udp, Protocol.Sctp)
        from port in Port
        select new VirtualServiceKey(address, protocol, port));

    public static Gen<VirtualService> Services() =>
        from key in Keys()
        from scheduler in Gen.Elements("rr", "wlc", "mh", "lblcr", "a-name-of-15-le")
        from flags in Gen.Choose(0, 15).Select(bits => (VirtualServiceFlags)(bits << 2))
        from persistence in Gen.Frequency((1, Gen.Constant<TimeSpan?>(null)), (2, Number.Select(value => (TimeSpan?)TimeSpan.FromSeconds(value))))
        from prefix in Gen.Choose(1, key.Family == IpFamily.IPv4 ? 32 : 128)
        from engine in Gen.Elements(null, "sip")
        select new VirtualService
        {
            Key = key, Scheduler = scheduler, Flags = flags, Persistence = persistence, PersistenceEngine = engine,
            PersistencePrefixLength = prefix == (key.Family == IpFamily.IPv4 ? 32 : 128) ? null : prefix,
        };

    public static Gen<Destination> Destinations() =>
        from address in Addresses()
        from port in Port
        from method in Gen.Elements(Enum.GetValues<ForwardingMethod>())
        from weight in Gen.Choose(int.MinValue, int.MaxValue)
        from upper in Number
        from lower in Number
        from tunnel in Gen.Elements<DestinationTunnel?>(null, new(TunnelKind.Gue, 6080, TunnelFlags.RemoteChecksum), new(TunnelKind.Gre))
        select new Destination
        {
            Endpoint = new IpEndpoint(address, port), Method = method, Weight = weight, UpperThreshold = upper, LowerThreshold = lower,
            Tunnel = method == ForwardingMethod.Tunnel ? tunnel : null,
        };

    /// <summary>What the kernel says about a service: what was asked for, its own flag, and counters.</summary>
    public static void PutState(NlMsgWriter writer, VirtualServiceState state)
    {
        writer.BeginMessage(Family, (byte)IpvsCommand.NewService, NlMsgFlags.Multi);
        using var nest = writer.BeginNested(IpvsAttribute.Service);
        CopyNest(writer, new IpvsOperation.AddService(state.Service), IpvsAttribute.Service);
        writer.PutU32((IpvsServiceAttribute)999, 4711); // of a newer kernel
        PutStatistics(writer, IpvsServiceAttribute.Statistics, state.Statistics, wide: false);
        PutStatistics(writer, IpvsServiceAttribute.Statistics64, state.Statistics, wide: true);
    }

    /// <inheritdoc cref="PutState(NlMsgWriter, VirtualServiceState)"/>
    public static void PutState(NlMsgWriter writer, DestinationState state)
    {
        writer.BeginMessage(Family, (byte)IpvsCommand.NewDestination, NlMsgFlags.Multi);
        using var nest = writer.BeginNested(IpvsAttribute.Destination);
        CopyNest(writer, new IpvsOperation.AddDestination(IpvsCases.Tcp, state.Destination), IpvsAttribute.Destination);
        writer.PutU32(IpvsDestinationAttribute.ActiveConnections, state.ActiveConnections);
        writer.PutU32(IpvsDestinationAttribute.InactiveConnections, state.InactiveConnections);
        writer.PutU32(IpvsDestinationAttribute.PersistentConnections, state.PersistentConnections);
        PutStatistics(writer, IpvsDestinationAttribute.Statistics, state.Statistics, wide: false);
        PutStatistics(writer, IpvsDestinationAttribute.Statistics64, state.Statistics, wide: true);
    }

    // Requests and answers have the same attributes.
    private static void CopyNest(NlMsgWriter writer, IpvsOperation operation, IpvsAttribute type)
    {
        using var request = new NlMsgWriter();
        IpvsEncoder.Put(request, Family, operation);
        foreach (var message in new NlMessages(request.ToArray()))
        {
            Assert.True(message.Attributes(GenericHeader.Size).TryFind(type, out var nest));
            writer.PutBody(nest.Payload);
        }
    }

    private static void PutStatistics<T>(NlMsgWriter writer, T attribute, IpvsStatistics statistics, bool wide) where T : unmanaged, Enum
    {
        using var nest = writer.BeginNested(attribute);
        Put(IpvsStatisticsAttribute.Connections, statistics.Connections, false);
        Put(IpvsStatisticsAttribute.PacketsIn, statistics.PacketsIn, false);
        Put(IpvsStatisticsAttribute.PacketsOut, statistics.PacketsOut, false);
        Put(IpvsStatisticsAttribute.BytesIn, statistics.BytesIn, true);
        Put(IpvsStatisticsAttribute.BytesOut, statistics.BytesOut, true);
        Put(IpvsStatisticsAttribute.ConnectionsPerSecond, statistics.ConnectionsPerSecond, false);
        Put(IpvsStatisticsAttribute.PacketsInPerSecond, statistics.PacketsInPerSecond, false);
        Put(IpvsStatisticsAttribute.PacketsOutPerSecond, statistics.PacketsOutPerSecond, false);
        Put(IpvsStatisticsAttribute.BytesInPerSecond, statistics.BytesInPerSecond, false);
        Put(IpvsStatisticsAttribute.BytesOutPerSecond, statistics.BytesOutPerSecond, false);

        void Put(IpvsStatisticsAttribute which, ulong value, bool alwaysWide)
        {
            if (wide || alwaysWide) writer.PutU64(which, value);
            else writer.PutU32(which, (uint)value);
        }
    }

    private static Gen<IpAddr> Addresses() => Gen.OneOf(
        Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), 4).Select(bytes => IpAddr.FromBytes(bytes)),
        Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), 16).Select(bytes => IpAddr.FromBytes(bytes)));
}
