using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>
/// Which flows to visit; a property that is null restricts nothing. The kernel does not send what it can filter out itself (by tuple since Linux 5.8, with a
/// family and but for IPv6 addresses, by state since 5.15, by zone since 6.8); what it sends is compared again here.
/// </summary>
public sealed record FlowFilter
{
    /// <summary>All flows.</summary>
    public static FlowFilter All { get; } = new();

    /// <summary>The family of the addresses.</summary>
    public IpFamily? Family { get; init; }

    /// <summary>The protocol.</summary>
    public Protocol? Protocol { get; init; }

    /// <summary>The original source address. Implies <see cref="Family"/>.</summary>
    public IpAddr? OriginalSource { get; init; }

    /// <summary>The original destination address. Implies <see cref="Family"/>.</summary>
    public IpAddr? OriginalDestination { get; init; }

    /// <summary>The original source port, which needs a <see cref="Protocol"/> to be filtered by the kernel.</summary>
    public ushort? OriginalSourcePort { get; init; }

    /// <summary>The original destination port, which needs a <see cref="Protocol"/> to be filtered by the kernel.</summary>
    public ushort? OriginalDestinationPort { get; init; }

    /// <summary>The source address of the answers: where translated packets really go. Implies <see cref="Family"/>.</summary>
    public IpAddr? ReplySource { get; init; }

    /// <summary>The destination address of the answers. Implies <see cref="Family"/>.</summary>
    public IpAddr? ReplyDestination { get; init; }

    /// <summary>The source port of the answers, which needs a <see cref="Protocol"/> to be filtered by the kernel.</summary>
    public ushort? ReplySourcePort { get; init; }

    /// <summary>The destination port of the answers, which needs a <see cref="Protocol"/> to be filtered by the kernel.</summary>
    public ushort? ReplyDestinationPort { get; init; }

    /// <summary>The original ICMP type; other protocols have none. Needs a <see cref="Protocol"/> to be filtered by the kernel, as the next two.</summary>
    public byte? IcmpType { get; init; }

    /// <summary>The original ICMP code.</summary>
    public byte? IcmpCode { get; init; }

    /// <summary>The original ICMP identifier.</summary>
    public ushort? IcmpId { get; init; }

    /// <summary>The zone, of both directions or of one; 0: no zone in either.</summary>
    public ushort? Zone { get; init; }

    /// <summary>The connection mark, compared where <see cref="MarkMask"/> has ones.</summary>
    public uint? Mark { get; init; }

    /// <summary>Which bits of <see cref="Mark"/> matter.</summary>
    public uint MarkMask { get; init; } = uint.MaxValue;

    /// <summary>The state, compared where <see cref="StatusMask"/> has ones.</summary>
    public FlowStatus? Status { get; init; }

    /// <summary>Which bits of <see cref="Status"/> matter.</summary>
    public FlowStatus StatusMask { get; init; } = ~FlowStatus.None;

    internal IpFamily? EffectiveFamily => (OriginalSource ?? OriginalDestination ?? ReplySource ?? ReplyDestination)?.Family ?? Family;

    internal FlowTupleFilter OriginalTuple => new(
        Protocol, InKernel(OriginalSource), InKernel(OriginalDestination), OriginalSourcePort, OriginalDestinationPort, IcmpType, IcmpCode, IcmpId);

    // The protocol is that of the original tuple, and stands here for the ports only.
    internal FlowTupleFilter ReplyTuple => new(
        ReplySourcePort is null && ReplyDestinationPort is null ? null : Protocol, InKernel(ReplySource), InKernel(ReplyDestination),
        ReplySourcePort, ReplyDestinationPort);

    /// <summary>Whether the flow is asked for.</summary>
    public bool Matches(in Flow flow) =>
        (EffectiveFamily is not { } family || flow.Family == family)
        && MatchesOriginal(flow.Original)
        && MatchesReply(flow.Reply)
        && (Zone is not { } zone || (zone == 0 ? (flow.OriginalZone | flow.ReplyZone) == 0 : flow.OriginalZone == zone || flow.ReplyZone == zone))
        && (Mark is not { } mark || (flow.Mark & MarkMask) == (mark & MarkMask))
        && (Status is not { } status || (flow.Status & StatusMask) == (status & StatusMask));

    // Linux (seen on 6.18) takes an IPv6 address in a filter the wrong way round: it leaves out the flows that have it
    // (findings/conntrack-filter-inverts-ipv6-addresses.sh).
    private static IpAddr? InKernel(IpAddr? address) => address is { Family: IpFamily.IPv4 } ? address : null;

    private bool MatchesOriginal(in FlowTuple tuple) =>
        (Protocol is not { } protocol || tuple.Protocol == protocol)
        && (OriginalSource is not { } source || tuple.Source == source)
        && (OriginalDestination is not { } destination || tuple.Destination == destination)
        && (OriginalSourcePort is not { } sourcePort || tuple.SourcePort == sourcePort)
        && (OriginalDestinationPort is not { } destinationPort || tuple.DestinationPort == destinationPort)
        && (IcmpType is not { } type || tuple.Icmp?.Type == type)
        && (IcmpCode is not { } code || tuple.Icmp?.Code == code)
        && (IcmpId is not { } id || tuple.Icmp?.Id == id);

    private bool MatchesReply(in FlowTuple tuple) =>
        (ReplySource is not { } source || tuple.Source == source)
        && (ReplyDestination is not { } destination || tuple.Destination == destination)
        && (ReplySourcePort is not { } sourcePort || tuple.SourcePort == sourcePort)
        && (ReplyDestinationPort is not { } destinationPort || tuple.DestinationPort == destinationPort);
}
