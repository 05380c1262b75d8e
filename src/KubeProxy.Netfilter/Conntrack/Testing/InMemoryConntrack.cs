using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack.Testing;

/// <summary>A connection tracking table in memory, as strict as the kernel's, that counts what it is asked to do.</summary>
public sealed class InMemoryConntrack : IConntrack
{
    private readonly Dictionary<(FlowTuple Original, ushort Zone), Flow> _flows = [];
    private readonly Lock _lock = new();
    private uint _lastId;
    private bool _isDisposed;

    /// <summary>The entries, in no particular order.</summary>
    public IReadOnlyList<Flow> Flows
    {
        get
        {
            lock (_lock) return [.. _flows.Values];
        }
    }

    /// <summary>How often the table was gone through.</summary>
    public int Dumps { get; private set; }

    /// <summary>How many deletions were asked for.</summary>
    public int DeleteRequests { get; private set; }

    /// <summary>Makes an entry.</summary>
    /// <returns>The entry with its id.</returns>
    /// <exception cref="NetlinkException">
    /// EEXIST: there is one with that tuple; EINVAL: the tuples are not of one family and protocol.
    /// </exception>
    public Flow Add(Flow flow)
    {
        lock (_lock)
        {
            var families = new[] { flow.Original.Source, flow.Original.Destination, flow.Reply.Source, flow.Reply.Destination };
            if (families.Any(address => address.Family != flow.Family) || flow.Original.Protocol != flow.Reply.Protocol)
                throw new NetlinkException($"add conntrack entry {flow.Original}", Errno.InvalidArgument);
            flow = flow with { Id = ++_lastId };
            if (!_flows.TryAdd((flow.Original, flow.Zone), flow))
                throw new NetlinkException($"add conntrack entry {flow.Original}", Errno.Exists);
            return flow;
        }
    }

    /// <inheritdoc/>
    public Task VisitAsync(
        FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        Dumps++;
        foreach (var flow in Flows)
        {
            if (filter.Matches(flow)) visit(flow);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var flow in Flows)
        {
            if (flow.Reply == reply) return Task.FromResult<Flow?>(flow);
        }

        return Task.FromResult<Flow?>(null);
    }

    /// <inheritdoc/>
    public Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            DeleteRequests += flows.Count;
            var deleted = 0;
            foreach (var flow in flows)
            {
                var key = (flow.Original, flow.Zone);
                if (!_flows.TryGetValue(key, out var found) || (flow.Id != 0 && flow.Id != found.Id)) continue;
                _flows.Remove(key);
                deleted++;
            }

            return Task.FromResult(deleted);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _isDisposed = true;
}
