using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Finds out what clients asked for whose datagrams were translated on their way here. For one thread.</summary>
/// <param name="conntrack">Used by nobody else, so that nobody has to be waited for.</param>
internal sealed class OriginalDestinations(IConntrack conntrack)
{
    /// <summary>Where datagrams of a client that come to a port of this process were sent to; null when they were not translated.</summary>
    /// <exception cref="NetlinkException">The kernel does not tell.</exception>
    public IpEndpoint? Find(Protocol protocol, IpEndpoint client, IpEndpoint local)
    {
        // The kernel answers in the system call that asks: this is done when it returns.
        var answers = new FlowTuple(protocol, local.Address, client.Address, local.Port, client.Port);
        return conntrack.FindByReplyAsync(answers).GetAwaiter().GetResult() is { IsDestinationTranslated: true } flow ? flow.OriginalDestination : null;
    }
}
