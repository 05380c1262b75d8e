using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>An entry of the conntrack table.</summary>
/// <param name="Original">The packets of the initiator before any translation.</param>
/// <param name="Reply">The answers before any translation: their source is where translated packets really go.</param>
/// <param name="Status">The state.</param>
/// <param name="Zone">
/// The conntrack zone of both directions, 0 by default; the zone of one direction alone is in <see cref="FlowTuple.Zone"/>.
/// </param>
/// <param name="Mark">The connection mark.</param>
/// <param name="Id">The kernel's number for this very entry; a later entry with the same tuples has another. 0: unknown.</param>
public readonly record struct Flow(FlowTuple Original, FlowTuple Reply, FlowStatus Status, ushort Zone, uint Mark, uint Id)
{
    private readonly long _started; // UTC ticks; 0 for unknown: smaller than a nullable DateTimeOffset by 16 bytes
    private readonly long _stopped;

    /// <summary>When it is given up unless a packet comes, in whole seconds; null when the kernel did not say (flows that are offloaded).</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What the initiator sent; null when it is not counted.</summary>
    public FlowCounters? OriginalCounters { get; init; }

    /// <summary>What was answered; null when it is not counted.</summary>
    public FlowCounters? ReplyCounters { get; init; }

    /// <summary>
    /// When it began, by the kernel's clock in steps of 100 ns; null unless the sysctl <c>net.netfilter.nf_conntrack_timestamp</c> was 1 at that time.
    /// </summary>
    public DateTimeOffset? Started
    {
        get => Time(_started);
        init => _started = value?.UtcTicks ?? 0;
    }

    /// <summary>When it ended: of flows that an event says are destroyed, under the same condition as <see cref="Started"/>.</summary>
    public DateTimeOffset? Stopped
    {
        get => Time(_stopped);
        init => _stopped = value?.UtcTicks ?? 0;
    }

    /// <summary>The state of TCP; null for other protocols.</summary>
    public FlowTcp? Tcp { get; init; }

    /// <summary>The state of SCTP; null for other protocols.</summary>
    public FlowSctp? Sctp { get; init; }

    /// <summary>The state of DCCP; null for other protocols.</summary>
    public FlowDccp? Dccp { get; init; }

    /// <summary>How many in the kernel refer to it (CTA_USE); 0: unknown.</summary>
    public uint Use { get; init; }

    /// <summary>What few flows have: helper, labels and more; null when it has nothing of it.</summary>
    public FlowDetails? Details { get; init; }

    /// <summary>The family of its addresses.</summary>
    public IpFamily Family => Original.Source.Family;

    /// <summary>What the initiator wanted to reach.</summary>
    public IpEndpoint OriginalDestination => new(Original.Destination, Original.DestinationPort);

    /// <summary>What its packets really go to.</summary>
    public IpEndpoint ReplySource => new(Reply.Source, Reply.SourcePort);

    /// <summary>Whether its destination is translated.</summary>
    public bool IsDestinationTranslated => OriginalDestination != ReplySource;

    /// <summary>The zone of the initiator's packets.</summary>
    internal ushort OriginalZone => Original.Zone ?? Zone;

    /// <summary>The zone of the answers.</summary>
    internal ushort ReplyZone => Reply.Zone ?? Zone;

    /// <summary>As <c>conntrack -L</c> prints it; see <see cref="FlowText"/>.</summary>
    public override string ToString() => FlowText.Of(this);

    private static DateTimeOffset? Time(long ticks) => ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
}

/// <summary>Is given each flow of a dump.</summary>
public delegate void FlowVisitor(in Flow flow);
