using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What of one direction the kernel is to filter a dump by; a field that is null restricts nothing.</summary>
internal readonly record struct FlowTupleFilter(
    Protocol? Protocol, IpAddr? Source, IpAddr? Destination, ushort? SourcePort, ushort? DestinationPort,
    byte? IcmpType = null, byte? IcmpCode = null, ushort? IcmpId = null)
{
    /// <summary>The kernel reads ports and the fields of ICMP by the protocol: without one it does not filter by them.</summary>
    public CtFilterFields Fields
    {
        get
        {
            var fields = (Source is null ? CtFilterFields.None : CtFilterFields.IpSource)
                | (Destination is null ? CtFilterFields.None : CtFilterFields.IpDestination);
            if (Protocol is not { } protocol) return fields;
            fields |= CtFilterFields.ProtocolNumber
                | (SourcePort is null ? CtFilterFields.None : CtFilterFields.SourcePort)
                | (DestinationPort is null ? CtFilterFields.None : CtFilterFields.DestinationPort);
            var isV6 = protocol == FlowProtocols.Icmpv6;
            if (IcmpType is not null) fields |= isV6 ? CtFilterFields.Icmpv6Type : CtFilterFields.IcmpType;
            if (IcmpCode is not null) fields |= isV6 ? CtFilterFields.Icmpv6Code : CtFilterFields.IcmpCode;
            if (IcmpId is not null) fields |= isV6 ? CtFilterFields.Icmpv6Id : CtFilterFields.IcmpId;
            return fields;
        }
    }
}
