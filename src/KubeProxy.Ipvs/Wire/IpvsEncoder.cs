using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;

namespace KubeProxy.Ipvs.Wire;

/// <summary>Writes requests, one message each.</summary>
internal static class IpvsEncoder
{
    // IPVS_CMD_ATTR_SERVICE { key [, settings] } [, IPVS_CMD_ATTR_DEST { endpoint [, settings] }]
    public static void Put(NlMsgWriter writer, GenericFamily family, IpvsOperation operation)
    {
        switch (operation)
        {
            case IpvsOperation.AddService add: PutService(writer, family, IpvsCommand.NewService, add.Value); break;
            case IpvsOperation.SetService set: PutService(writer, family, IpvsCommand.SetService, set.Value); break;
            case IpvsOperation.DeleteService delete: PutKey(writer, family, IpvsCommand.DeleteService, delete.Key); break;
            case IpvsOperation.AddDestination add: PutDestination(writer, family, IpvsCommand.NewDestination, add.Key, add.Value); break;
            case IpvsOperation.SetDestination set: PutDestination(writer, family, IpvsCommand.SetDestination, set.Key, set.Value); break;
            case IpvsOperation.DeleteDestination delete:
                PutKey(writer, family, IpvsCommand.DeleteDestination, delete.Key);
                using (writer.BeginNested(IpvsAttribute.Destination)) PutEndpoint(writer, delete.Endpoint);
                break;
            default: throw new ArgumentException($"There is no message for {operation}.", nameof(operation));
        }
    }

    /// <summary>A command about a service of which only the key counts.</summary>
    public static void PutKey(NlMsgWriter writer, GenericFamily family, IpvsCommand command, VirtualServiceKey key)
    {
        writer.BeginMessage(family, (byte)command);
        using (writer.BeginNested(IpvsAttribute.Service)) PutKey(writer, key);
    }

    /// <summary>A command without attributes.</summary>
    public static void PutCommand(NlMsgWriter writer, GenericFamily family, IpvsCommand command) =>
        writer.BeginMessage(family, (byte)command);

    // IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP: seconds; 0 leaves one as it is
    public static void PutTimeouts(NlMsgWriter writer, GenericFamily family, IpvsTimeouts timeouts)
    {
        writer.BeginMessage(family, (byte)IpvsCommand.SetConfig);
        writer.PutU32(IpvsAttribute.TimeoutTcp, Seconds(timeouts.Tcp));
        writer.PutU32(IpvsAttribute.TimeoutTcpFin, Seconds(timeouts.TcpFin));
        writer.PutU32(IpvsAttribute.TimeoutUdp, Seconds(timeouts.Udp));
    }

    private static void PutService(NlMsgWriter writer, GenericFamily family, IpvsCommand command, VirtualService service)
    {
        writer.BeginMessage(family, (byte)command);
        using (writer.BeginNested(IpvsAttribute.Service))
        {
            PutKey(writer, service.Key);
            PutSettings(writer, service);
        }
    }

    private static void PutDestination(
        NlMsgWriter writer, GenericFamily family, IpvsCommand command, VirtualServiceKey key, Destination destination)
    {
        PutKey(writer, family, command, key);
        using (writer.BeginNested(IpvsAttribute.Destination))
        {
            PutEndpoint(writer, destination.Endpoint);
            PutSettings(writer, destination);
        }
    }

    // IPVS_SVC_ATTR_AF u16, then by mark IPVS_SVC_ATTR_FWMARK u32, or else
    // IPVS_SVC_ATTR_PROTOCOL u16, IPVS_SVC_ATTR_ADDR 16 bytes, IPVS_SVC_ATTR_PORT u16 big endian
    private static void PutKey(NlMsgWriter writer, VirtualServiceKey key)
    {
        writer.PutU16(IpvsServiceAttribute.AddressFamily, AddressFamily(key.Family));
        if (key.Address is not { } address)
        {
            writer.PutU32(IpvsServiceAttribute.FirewallMark, key.FirewallMark);
            return;
        }

        writer.PutU16(IpvsServiceAttribute.Protocol, (ushort)key.Protocol);
        PutAddress(writer.ReserveBytes(IpvsServiceAttribute.Address, IpvsProtocol.AddressLength), address);
        writer.PutU16BigEndian(IpvsServiceAttribute.Port, key.Port);
    }

    // IPVS_SVC_ATTR_SCHED_NAME string, IPVS_SVC_ATTR_PE_NAME string, IPVS_SVC_ATTR_FLAGS | flags u32 | mask u32 |,
    // IPVS_SVC_ATTR_TIMEOUT u32 seconds, IPVS_SVC_ATTR_NETMASK: a mask, big endian, for IPv4, a length u32 for IPv6
    private static void PutSettings(NlMsgWriter writer, VirtualService service)
    {
        writer.PutString(IpvsServiceAttribute.Scheduler, service.Scheduler);
        if (service.PersistenceEngine is { } engine) writer.PutString(IpvsServiceAttribute.PersistenceEngine, engine);
        var flags = writer.ReserveBytes(IpvsServiceAttribute.Flags, IpvsProtocol.FlagsLength);
        MemoryMarshal.Write(flags, (uint)service.Flags | (service.Persistence is null ? 0 : IpvsProtocol.FlagPersistent));
        MemoryMarshal.Write(flags[4..], uint.MaxValue);
        writer.PutU32(IpvsServiceAttribute.Timeout, Seconds(service.Persistence ?? TimeSpan.Zero));
        if (service.Key.Family == IpFamily.IPv4) writer.PutU32BigEndian(IpvsServiceAttribute.Netmask, Mask(service.PersistencePrefixLength ?? 32));
        else writer.PutU32(IpvsServiceAttribute.Netmask, (uint)(service.PersistencePrefixLength ?? 128));
    }

    // IPVS_DEST_ATTR_ADDR_FAMILY u16, IPVS_DEST_ATTR_ADDR 16 bytes, IPVS_DEST_ATTR_PORT u16 big endian
    private static void PutEndpoint(NlMsgWriter writer, IpEndpoint endpoint)
    {
        writer.PutU16(IpvsDestinationAttribute.AddressFamily, AddressFamily(endpoint.Address.Family));
        PutAddress(writer.ReserveBytes(IpvsDestinationAttribute.Address, IpvsProtocol.AddressLength), endpoint.Address);
        writer.PutU16BigEndian(IpvsDestinationAttribute.Port, endpoint.Port);
    }

    // IPVS_DEST_ATTR_FWD_METHOD, _WEIGHT, _U_THRESH, _L_THRESH u32,
    // with a tunnel other than IPIP _TUN_TYPE u8, _TUN_PORT u16 big endian, _TUN_FLAGS u16
    private static void PutSettings(NlMsgWriter writer, Destination destination)
    {
        writer.PutU32(IpvsDestinationAttribute.ForwardingMethod, (uint)destination.Method);
        writer.PutU32(IpvsDestinationAttribute.Weight, (uint)destination.Weight);
        writer.PutU32(IpvsDestinationAttribute.UpperThreshold, destination.UpperThreshold);
        writer.PutU32(IpvsDestinationAttribute.LowerThreshold, destination.LowerThreshold);
        if (destination.Tunnel is not { } tunnel) return;
        writer.PutU8(IpvsDestinationAttribute.TunnelType, (byte)tunnel.Kind);
        writer.PutU16BigEndian(IpvsDestinationAttribute.TunnelPort, tunnel.Port);
        writer.PutU16(IpvsDestinationAttribute.TunnelFlags, (ushort)tunnel.Flags);
    }

    // union nf_inet_addr: IPv4 in the first 4 of 16 bytes
    private static void PutAddress(Span<byte> field, IpAddr address)
    {
        field.Clear();
        address.WriteBytes(field);
    }

    private static ushort AddressFamily(IpFamily family) => family == IpFamily.IPv4 ? IpvsProtocol.AF_INET : IpvsProtocol.AF_INET6;

    private static uint Mask(int prefixLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)prefixLength, 32u);
        return prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);
    }

    private static uint Seconds(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromSeconds(uint.MaxValue));
        return (uint)(time.Ticks / TimeSpan.TicksPerSecond);
    }
}
