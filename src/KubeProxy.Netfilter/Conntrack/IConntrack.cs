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

    /// <summary>The flow whose answers bear this tuple before any translation; null when there is none.</summary>
    /// <param name="reply">See <see cref="Flow.Reply"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes exactly these entries: by original tuple and zone, and, where it is known, by <see cref="Flow.Id"/>, so that an
    /// entry that took its place meanwhile stays. One that is gone already is not an error.
    /// </summary>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="Netlink.NetlinkException">The kernel refused one of them (the first such); all others were tried.</exception>
    Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default);
}
