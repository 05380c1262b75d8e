using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>The kernel's connection tracking table, over ctnetlink (net/netfilter/nf_conntrack_netlink.c). Thread-safe.</summary>
public sealed partial class ConntrackClient : IConntrack
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
    public Task VisitAsync(
        FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default) =>
        VisitAsync(CtMessage.Get, filter, visit, restart, cancellationToken);

    /// <inheritdoc/>
    public Task<Flow?> FindAsync(FlowTuple original, CancellationToken cancellationToken = default) =>
        FindAsync(CtAttribute.TupleOriginal, original, cancellationToken);

    /// <inheritdoc/>
    public Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default) =>
        FindAsync(CtAttribute.TupleReply, reply, cancellationToken);

    /// <inheritdoc/>
    public async Task CreateAsync(Flow flow, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutCreate(request, flow);
        await _channel.ExecuteAsync($"create conntrack entry {flow.Original}", request, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task UpdateAsync(Flow flow, FlowChange change, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutUpdate(request, flow, change);
        await _channel.ExecuteAsync($"update conntrack entry {flow.Original}", request, cancellationToken);
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
    public async Task FlushAsync(IpFamily? family = null, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutFlush(request, family);
        await _channel.ExecuteAsync("flush conntrack entries", request, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ConntrackUsage> CountAsync(CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutGet(request, CtMessage.GetStatistics);
        ConntrackUsage usage = default;
        await _channel.GetAsync("count conntrack entries", request, message => usage = ConntrackUsage.Decode(message), cancellationToken);
        return usage;
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private async Task<Flow?> FindAsync(CtAttribute direction, FlowTuple tuple, CancellationToken cancellationToken)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutFind(request, direction, tuple);
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

    private async Task VisitAsync(CtMessage list, FlowFilter filter, FlowVisitor visit, Action? restart, CancellationToken cancellationToken)
    {
        if (_kernelFilters)
        {
            try
            {
                await DumpAsync(list, filter, inKernel: true, visit, restart, cancellationToken);
                return;
            }
            catch (NetlinkException refused) when (filter != new FlowFilter { Family = filter.Family }
                && refused.Errno is Errno.NotSupported or Errno.InvalidArgument)
            {
                // Refused before the first flow: nothing has been visited. An ICMP type that is never tracked is an invalid argument;
                // other filters of the same client may be taken.
                if (refused.Errno == Errno.NotSupported) _kernelFilters = false;
            }
        }

        await DumpAsync(list, filter, inKernel: false, visit, restart, cancellationToken);
    }

    private async Task DumpAsync(
        CtMessage list, FlowFilter filter, bool inKernel, FlowVisitor visit, Action? restart, CancellationToken cancellationToken)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutDump(request, list, filter, inKernel);
        await _channel.DumpAsync("list conntrack entries", request, message =>
        {
            var flow = FlowDecoder.Decode(message);
            if (filter.Matches(flow)) visit(flow); // older kernels ignore filters
        }, restart, cancellationToken);
    }
}
