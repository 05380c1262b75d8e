using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>The kernel's connection tracking table, over ctnetlink (net/netfilter/nf_conntrack_netlink.c). Thread-safe.</summary>
public sealed class ConntrackClient : IConntrack
{
    private readonly NetlinkChannel _channel;
    private volatile bool _kernelFilters = true;

    /// <summary>Takes over the channel, and disposes it with itself.</summary>
    public ConntrackClient(NetlinkChannel channel) => _channel = channel;

    /// <summary>What was sent to the kernel so far.</summary>
    public NetlinkCounters Counters => _channel.Counters;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <inheritdoc cref="NetlinkSocket.Open" path="/exception"/>
    public static ConntrackClient Open(NetlinkSocketOptions? options = null) =>
        new(NetlinkChannel.Open(NetlinkProtocol.Netfilter, options));

    /// <inheritdoc/>
    public async Task VisitAsync(
        FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default)
    {
        if (_kernelFilters)
        {
            try
            {
                await DumpAsync(filter, inKernel: true, visit, restart, cancellationToken);
                return;
            }
            catch (NetlinkException refused) when (filter != new FlowFilter { Family = filter.Family }
                && refused.Errno is Errno.NotSupported or Errno.InvalidArgument)
            {
                _kernelFilters = false; // refused before the first flow: nothing has been visited
            }
        }

        await DumpAsync(filter, inKernel: false, visit, restart, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutGetByReply(request, reply);
        Flow? found = null;
        try
        {
            await _channel.GetAsync("find a conntrack entry", request, message => found = FlowDecoder.Decode(message), cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return null;
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default)
    {
        if (flows.Count == 0) return 0;
        using var requests = new NlMsgWriter();
        foreach (var flow in flows) FlowEncoder.PutDelete(requests, flow);
        var result = await _channel.ExecuteManyAsync("delete conntrack entries", requests, cancellationToken);
        foreach (var error in result.Errors)
        {
            if (error.Errno != Errno.NoSuchEntry)
                throw error.ToException($"delete conntrack entry {flows[error.MessageIndex].Original}");
        }

        return flows.Count - result.Errors.Count;
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private async Task DumpAsync(
        FlowFilter filter, bool inKernel, FlowVisitor visit, Action? restart, CancellationToken cancellationToken)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutDump(request, filter, inKernel);
        await _channel.DumpAsync("list conntrack entries", request, message =>
        {
            var flow = FlowDecoder.Decode(message);
            if (filter.Matches(flow)) visit(flow); // older kernels ignore filters
        }, restart, cancellationToken);
    }
}
