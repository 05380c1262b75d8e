using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;

namespace KubeProxy.Ipvs.Wire;

/// <summary>Reads what the kernel answers. Attributes that are not known are skipped; known ones must have their length.</summary>
internal static class IpvsDecoder
{
    /// <summary>Reads a virtual service (<c>IPVS_CMD_NEW_SERVICE</c>).</summary>
    /// <returns>Null when the message is about something else, or about a service that has no place in the model.</returns>
    /// <exception cref="NetlinkFormatException">The message is malformed.</exception>
    public static VirtualServiceState? DecodeService(NlMessage message) =>
        TryFind(message, IpvsCommand.NewService, IpvsAttribute.Service, out var service) ? DecodeService(service.Nested()) : null;

    /// <summary>Reads a destination (<c>IPVS_CMD_NEW_DEST</c>).</summary>
    /// <param name="message">The message.</param>
    /// <param name="serviceFamily">The family of the service: old kernels do not tell that of the destination, which is the same.</param>
    /// <inheritdoc cref="DecodeService(NlMessage)"/>
    public static DestinationState? DecodeDestination(NlMessage message, IpFamily serviceFamily) =>
        TryFind(message, IpvsCommand.NewDestination, IpvsAttribute.Destination, out var destination)
            ? DecodeDestination(destination.Nested(), serviceFamily)
            : null;

    /// <summary>Reads <c>IPVS_CMD_SET_INFO</c>.</summary>
    /// <inheritdoc cref="DecodeService(NlMessage)"/>
    public static IpvsInfo? DecodeInfo(NlMessage message)
    {
        if (!IsAbout(message, IpvsCommand.SetInfo)) return null;
        uint version = 0, size = 0;
        foreach (var attribute in message.Attributes(GenericHeader.Size))
        {
            switch (attribute.As<IpvsInfoAttribute>())
            {
                case IpvsInfoAttribute.Version: version = attribute.U32(); break; // | 0 | major | minor | patch |
                case IpvsInfoAttribute.ConnectionTableSize: size = attribute.U32(); break;
            }
        }

        return new IpvsInfo(new Version((byte)(version >> 16), (byte)(version >> 8), (byte)version), size);
    }

    /// <summary>Reads <c>IPVS_CMD_SET_CONFIG</c>. A protocol that the kernel lacks has a timeout of zero.</summary>
    /// <inheritdoc cref="DecodeService(NlMessage)"/>
    public static IpvsTimeouts? DecodeTimeouts(NlMessage message)
    {
        if (!IsAbout(message, IpvsCommand.SetConfig)) return null;
        uint tcp = 0, tcpFin = 0, udp = 0;
        foreach (var attribute in message.Attributes(GenericHeader.Size))
        {
            switch (attribute.As<IpvsAttribute>())
            {
                case IpvsAttribute.TimeoutTcp: tcp = attribute.U32(); break;
                case IpvsAttribute.TimeoutTcpFin: tcpFin = attribute.U32(); break;
                case IpvsAttribute.TimeoutUdp: udp = attribute.U32(); break;
            }
        }

        return new IpvsTimeouts(TimeSpan.FromSeconds(tcp), TimeSpan.FromSeconds(tcpFin), TimeSpan.FromSeconds(udp));
    }

    // See IpvsEncoder for the attributes; the kernel adds IPVS_SVC_ATTR_STATS and IPVS_SVC_ATTR_STATS64.
    private static VirtualServiceState? DecodeService(NlAttributes attributes)
    {
        ushort family = 0, protocol = 0, port = 0;
        uint mark = 0, flags = 0, timeout = 0;
        ReadOnlySpan<byte> address = [], netmask = [];
        string scheduler = "", engine = "";
        IpvsStatistics statistics = default, statistics64 = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<IpvsServiceAttribute>())
            {
                case IpvsServiceAttribute.AddressFamily: family = attribute.U16(); break;
                case IpvsServiceAttribute.Protocol: protocol = attribute.U16(); break;
                case IpvsServiceAttribute.Address: address = attribute.Exactly(IpvsProtocol.AddressLength); break;
                case IpvsServiceAttribute.Port: port = attribute.U16BigEndian(); break;
                case IpvsServiceAttribute.FirewallMark: mark = attribute.U32(); break;
                case IpvsServiceAttribute.Scheduler: scheduler = attribute.Text(); break;
                case IpvsServiceAttribute.PersistenceEngine: engine = attribute.Text(); break;
                case IpvsServiceAttribute.Flags: flags = MemoryMarshal.Read<uint>(attribute.Exactly(IpvsProtocol.FlagsLength)); break;
                case IpvsServiceAttribute.Timeout: timeout = attribute.U32(); break;
                case IpvsServiceAttribute.Netmask: netmask = attribute.Exactly(4); break;
                case IpvsServiceAttribute.Statistics: statistics = DecodeStatistics(attribute.Nested()); break;
                case IpvsServiceAttribute.Statistics64: statistics64 = DecodeStatistics(attribute.Nested()); break;
            }
        }

        if (DecodeKey(family, mark, protocol, address, port) is not { } key) return null;
        var service = new VirtualService
        {
            Key = key,
            Scheduler = scheduler,
            Flags = (VirtualServiceFlags)(flags & ~(IpvsProtocol.FlagPersistent | IpvsProtocol.FlagHashed)),
            Persistence = (flags & IpvsProtocol.FlagPersistent) == 0 ? null : TimeSpan.FromSeconds(timeout),
            PersistencePrefixLength = netmask.IsEmpty ? null : DecodePrefixLength(key.Family, netmask),
            PersistenceEngine = engine.Length == 0 ? null : engine,
        };
        return new VirtualServiceState(service, statistics64 == default ? statistics : statistics64);
    }

    private static VirtualServiceKey? DecodeKey(ushort addressFamily, uint mark, ushort protocol, ReadOnlySpan<byte> address, ushort port)
    {
        if (Family(addressFamily) is not { } family) return null;
        if (mark != 0) return new VirtualServiceKey(family, mark);
        if (protocol > byte.MaxValue || DecodeAddress(family, address) is not { } found) return null;
        return new VirtualServiceKey(found, (Protocol)protocol, port);
    }

    // See IpvsEncoder for the attributes; the kernel adds counters, IPVS_DEST_ATTR_STATS and IPVS_DEST_ATTR_STATS64.
    private static DestinationState? DecodeDestination(NlAttributes attributes, IpFamily serviceFamily)
    {
        ushort addressFamily = 0, port = 0, tunnelPort = 0, tunnelFlags = 0;
        uint method = 0, weight = 0, upper = 0, lower = 0, active = 0, inactive = 0, persistent = 0;
        byte tunnelType = 0;
        ReadOnlySpan<byte> address = [];
        IpvsStatistics statistics = default, statistics64 = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<IpvsDestinationAttribute>())
            {
                case IpvsDestinationAttribute.AddressFamily: addressFamily = attribute.U16(); break;
                case IpvsDestinationAttribute.Address: address = attribute.Exactly(IpvsProtocol.AddressLength); break;
                case IpvsDestinationAttribute.Port: port = attribute.U16BigEndian(); break;
                case IpvsDestinationAttribute.ForwardingMethod: method = attribute.U32() & IpvsProtocol.ForwardingMethodMask; break;
                case IpvsDestinationAttribute.Weight: weight = attribute.U32(); break;
                case IpvsDestinationAttribute.UpperThreshold: upper = attribute.U32(); break;
                case IpvsDestinationAttribute.LowerThreshold: lower = attribute.U32(); break;
                case IpvsDestinationAttribute.ActiveConnections: active = attribute.U32(); break;
                case IpvsDestinationAttribute.InactiveConnections: inactive = attribute.U32(); break;
                case IpvsDestinationAttribute.PersistentConnections: persistent = attribute.U32(); break;
                case IpvsDestinationAttribute.TunnelType: tunnelType = attribute.U8(); break;
                case IpvsDestinationAttribute.TunnelPort: tunnelPort = attribute.U16BigEndian(); break;
                case IpvsDestinationAttribute.TunnelFlags: tunnelFlags = attribute.U16(); break;
                case IpvsDestinationAttribute.Statistics: statistics = DecodeStatistics(attribute.Nested()); break;
                case IpvsDestinationAttribute.Statistics64: statistics64 = DecodeStatistics(attribute.Nested()); break;
            }
        }

        var family = addressFamily == 0 ? serviceFamily : Family(addressFamily);
        if (family is null || DecodeAddress(family.Value, address) is not { } found) return null;
        var tunnel = new DestinationTunnel((TunnelKind)tunnelType, tunnelPort, (TunnelFlags)tunnelFlags);
        var destination = new Destination
        {
            Endpoint = new IpEndpoint(found, port),
            Method = (ForwardingMethod)method,
            Weight = (int)weight,
            UpperThreshold = upper,
            LowerThreshold = lower,
            Tunnel = tunnel == PlainIpip || method != (uint)ForwardingMethod.Tunnel ? null : tunnel,
        };
        return new DestinationState(destination, active, inactive, persistent, statistics64 == default ? statistics : statistics64);
    }

    private static DestinationTunnel PlainIpip { get; } = new(TunnelKind.Ipip);

    // IPVS_STATS_ATTR_*: in the 32 bit nest packets and rates are u32 and bytes u64, in the 64 bit nest all are u64
    private static IpvsStatistics DecodeStatistics(NlAttributes attributes)
    {
        var counted = default(IpvsStatistics);
        foreach (var attribute in attributes)
        {
            switch (attribute.As<IpvsStatisticsAttribute>())
            {
                case IpvsStatisticsAttribute.Connections: counted = counted with { Connections = Number(attribute) }; break;
                case IpvsStatisticsAttribute.PacketsIn: counted = counted with { PacketsIn = Number(attribute) }; break;
                case IpvsStatisticsAttribute.PacketsOut: counted = counted with { PacketsOut = Number(attribute) }; break;
                case IpvsStatisticsAttribute.BytesIn: counted = counted with { BytesIn = Number(attribute) }; break;
                case IpvsStatisticsAttribute.BytesOut: counted = counted with { BytesOut = Number(attribute) }; break;
                case IpvsStatisticsAttribute.ConnectionsPerSecond: counted = counted with { ConnectionsPerSecond = Number(attribute) }; break;
                case IpvsStatisticsAttribute.PacketsInPerSecond: counted = counted with { PacketsInPerSecond = Number(attribute) }; break;
                case IpvsStatisticsAttribute.PacketsOutPerSecond: counted = counted with { PacketsOutPerSecond = Number(attribute) }; break;
                case IpvsStatisticsAttribute.BytesInPerSecond: counted = counted with { BytesInPerSecond = Number(attribute) }; break;
                case IpvsStatisticsAttribute.BytesOutPerSecond: counted = counted with { BytesOutPerSecond = Number(attribute) }; break;
            }
        }

        return counted;
    }

    private static ulong Number(NlAttribute attribute) => attribute.Payload.Length == 4 ? attribute.U32() : attribute.U64();

    /// <summary>Null for an address that the model takes for one of the other family: IPv4-mapped IPv6.</summary>
    private static IpAddr? DecodeAddress(IpFamily family, ReadOnlySpan<byte> field)
    {
        if (field.IsEmpty) throw new NetlinkFormatException("An IPVS object without an address.");
        var address = IpAddr.FromBytes(family == IpFamily.IPv4 ? field[..4] : field);
        return address.Family == family ? address : null;
    }

    /// <summary>Null for a mask of all bits. Of a mask with gaps, the bits before the first gap.</summary>
    private static int? DecodePrefixLength(IpFamily family, ReadOnlySpan<byte> netmask)
    {
        var length = family == IpFamily.IPv4
            ? BitOperations.LeadingZeroCount(~BinaryPrimitives.ReadUInt32BigEndian(netmask))
            : (int)Math.Min(MemoryMarshal.Read<uint>(netmask), 128);
        return length == (family == IpFamily.IPv4 ? 32 : 128) ? null : length;
    }

    private static IpFamily? Family(ushort addressFamily) => addressFamily switch
    {
        IpvsProtocol.AF_INET => IpFamily.IPv4,
        IpvsProtocol.AF_INET6 => IpFamily.IPv6,
        _ => null,
    };

    private static bool IsAbout(NlMessage message, IpvsCommand command) => GenericHeader.Read(message).Command == (byte)command;

    private static bool TryFind(NlMessage message, IpvsCommand command, IpvsAttribute type, out NlAttribute found)
    {
        found = default;
        return IsAbout(message, command) && message.Attributes(GenericHeader.Size).TryFind(type, out found);
    }
}
