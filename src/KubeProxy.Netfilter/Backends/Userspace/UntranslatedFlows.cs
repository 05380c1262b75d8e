using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>
/// Flows of UDP to frontends that began before rules translated them. The first datagram decides for all, so a client that keeps sending from
/// one port would never come to the relay.
/// </summary>
internal sealed class UntranslatedFlows(IConntrack conntrack, IpFamily family, RelayTable table)
{
    private static readonly FlowFilter Udp = new() { Protocol = Protocol.Udp, Status = FlowStatus.None, StatusMask = FlowStatus.DestinationNat };

    /// <summary>Deletes their entries, but those of this node's own processes, which need no translation.</summary>
    /// <param name="isOwnAddress">Whether an address is this node's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    public async Task DeleteAsync(Func<IpAddr, bool> isOwnAddress, CancellationToken cancellationToken)
    {
        HashSet<Flow> found = [];
        await conntrack.VisitAsync(Udp with { Family = family }, (in Flow flow) =>
        {
            if (!isOwnAddress(flow.Original.Source) && table.Find(Protocol.Udp, flow.OriginalDestination) is not null) found.Add(flow);
        }, found.Clear, cancellationToken);
        await conntrack.DeleteAsync([.. found], cancellationToken);
    }
}
