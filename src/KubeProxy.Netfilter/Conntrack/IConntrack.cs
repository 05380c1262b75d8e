using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>
/// The connection tracking table of one network namespace. Implemented by <see cref="ConntrackClient"/> and, for tests, by
/// <see cref="Testing.InMemoryConntrack"/>.
/// </summary>
public interface IConntrack : IDisposable
{
    /// <summary>
    /// Streams the flows that the filter asks for, without keeping them. The table changes meanwhile: a flow that comes or goes
    /// may or may not be visited, and one may be visited twice.
    /// </summary>
    /// <param name="filter">Which flows.</param>
    /// <param name="visit">Is given each flow.</param>
    /// <param name="restart">Called before the visit begins anew, if the kernel had to interrupt it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    Task VisitAsync(FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default);

    /// <summary>The flow whose initiator's packets bear this tuple before any translation; null when there is none.</summary>
    /// <param name="original">See <see cref="Flow.Original"/>. With the zone of its packets, also if it is that of both directions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    Task<Flow?> FindAsync(FlowTuple original, CancellationToken cancellationToken = default);

    /// <summary>The flow whose answers bear this tuple before any translation; null when there is none.</summary>
    /// <param name="reply">See <see cref="Flow.Reply"/>. With the zone of the answers, also if it is that of both directions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default);

    /// <summary>
    /// Puts an entry into the table. It needs <see cref="Flow.Timeout"/>. Where <see cref="Flow.Status"/> has <see cref="FlowStatus.DestinationNat"/> or
    /// <see cref="FlowStatus.SourceNat"/>, its packets are translated to what <see cref="Flow.Reply"/> says; without, the reply is only what it is known by.
    /// Counters, times, sequence numbers and the id are not taken over.
    /// </summary>
    /// <exception cref="Netlink.NetlinkException">
    /// EEXIST: there is one with either tuple; EINVAL: it has no timeout, the tuples are not of one family, or the helper is unknown;
    /// ENOENT: <see cref="FlowDetails.Master"/> is not there.
    /// </exception>
    Task CreateAsync(Flow flow, CancellationToken cancellationToken = default);

    /// <summary>
    /// Changes an entry that is there. It is found by original tuple and zone, not by <see cref="Flow.Id"/>: an entry that took its place meanwhile is
    /// changed.
    /// </summary>
    /// <exception cref="Netlink.NetlinkException">
    /// ENOENT: there is none; EBUSY: a bit of the state would be taken back (<see cref="Flow.Status"/> is older than the entry).
    /// </exception>
    Task UpdateAsync(Flow flow, FlowChange change, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes exactly these entries: by original tuple and zone, and, where it is known, by <see cref="Flow.Id"/>, so that an
    /// entry that took its place meanwhile stays. One that is gone already is not an error.
    /// </summary>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="Netlink.NetlinkException">The kernel refused one of them (the first such); all others were tried.</exception>
    Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default);

    /// <summary>Deletes all entries, or those of one family.</summary>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    Task FlushAsync(IpFamily? family = null, CancellationToken cancellationToken = default);

    /// <summary>How many entries there are, and may be. Costs the same for any number of them.</summary>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    Task<ConntrackUsage> CountAsync(CancellationToken cancellationToken = default);
}
