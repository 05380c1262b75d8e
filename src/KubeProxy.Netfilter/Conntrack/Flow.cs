using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>The state of a flow (<c>enum ip_conntrack_status</c>, linux/netfilter/nf_conntrack_common.h).</summary>
[Flags]
public enum FlowStatus
{
    /// <summary>No bit.</summary>
    None = 0,

    /// <summary>Another flow announced it (as FTP does).</summary>
    Expected = 1 << 0, // IPS_EXPECTED

    /// <summary>Packets went both ways.</summary>
    SeenReply = 1 << 1, // IPS_SEEN_REPLY

    /// <summary>Not given up early when the table is full.</summary>
    Assured = 1 << 2, // IPS_ASSURED

    /// <summary>The first packet left the node.</summary>
    Confirmed = 1 << 3, // IPS_CONFIRMED

    /// <summary>The source is translated.</summary>
    SourceNat = 1 << 4, // IPS_SRC_NAT

    /// <summary>The destination is translated.</summary>
    DestinationNat = 1 << 5, // IPS_DST_NAT

    /// <summary>On its way out of the table.</summary>
    Dying = 1 << 9, // IPS_DYING
}

/// <summary>An entry of the conntrack table.</summary>
/// <param name="Original">The packets of the initiator before any translation.</param>
/// <param name="Reply">The answers before any translation: their source is where translated packets really go.</param>
/// <param name="Status">The state.</param>
/// <param name="Zone">The conntrack zone, 0 by default.</param>
/// <param name="Mark">The connection mark.</param>
/// <param name="Id">The kernel's number for this very entry; a later entry with the same tuples has another. 0: unknown.</param>
public readonly record struct Flow(FlowTuple Original, FlowTuple Reply, FlowStatus Status, ushort Zone, uint Mark, uint Id)
{
    /// <summary>The family of its addresses.</summary>
    public IpFamily Family => Original.Source.Family;

    /// <summary>What the initiator wanted to reach.</summary>
    public IpEndpoint OriginalDestination => new(Original.Destination, Original.DestinationPort);

    /// <summary>What its packets really go to.</summary>
    public IpEndpoint ReplySource => new(Reply.Source, Reply.SourcePort);

    /// <summary>Whether its destination is translated.</summary>
    public bool IsDestinationTranslated => OriginalDestination != ReplySource;
}

/// <summary>Is given each flow of a dump.</summary>
public delegate void FlowVisitor(in Flow flow);
