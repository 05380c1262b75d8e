using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack.Testing;

/// <summary>A connection tracking table in memory, as strict as the kernel's, that counts what it is asked to do. Time does not pass in it.</summary>
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

    /// <summary>The most entries, as <see cref="CountAsync"/> says it; not enforced.</summary>
    public uint Limit { get; set; } = 262144;

    /// <summary>Makes an entry.</summary>
    /// <returns>The entry with its id.</returns>
    /// <exception cref="NetlinkException">
    /// EEXIST: there is one with that original tuple; EINVAL: the tuples are not of one family and protocol.
    /// </exception>
    public Flow Add(Flow flow)
    {
        lock (_lock)
        {
            var families = new[] { flow.Original.Source, flow.Original.Destination, flow.Reply.Source, flow.Reply.Destination };
            if (families.Any(address => address.Family != flow.Family) || flow.Original.Protocol != flow.Reply.Protocol)
                throw new NetlinkException($"create conntrack entry {flow.Original}", Errno.InvalidArgument);
            flow = flow with { Id = ++_lastId };
            if (!_flows.TryAdd(Key(flow), flow))
                throw new NetlinkException($"create conntrack entry {flow.Original}", Errno.Exists);
            return flow;
        }
    }

    /// <inheritdoc/>
    public Task VisitAsync(
        FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        Dumps++;
        foreach (var flow in Flows)
        {
            if (filter.Matches(flow)) visit(flow);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<Flow?> FindAsync(FlowTuple original, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        lock (_lock) return Task.FromResult<Flow?>(_flows.TryGetValue((original with { Zone = null }, original.Zone ?? 0), out var flow) ? flow : null);
    }

    /// <inheritdoc/>
    public Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        lock (_lock) return Task.FromResult(Reply(reply, reply.Zone ?? 0));
    }

    /// <inheritdoc/>
    public Task CreateAsync(Flow flow, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        if (flow.Timeout is null) throw new NetlinkException($"create conntrack entry {flow.Original}", Errno.InvalidArgument);
        lock (_lock)
        {
            if (Reply(flow.Reply, flow.ReplyZone) is not null) throw new NetlinkException($"create conntrack entry {flow.Original}", Errno.Exists);
            Add(flow with { Status = flow.Status | FlowStatus.Confirmed, OriginalCounters = null, ReplyCounters = null, Started = null, Stopped = null });
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task UpdateAsync(Flow flow, FlowChange change, CancellationToken cancellationToken = default)
    {
        const FlowStatus Changeable = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.FixedTimeout | FlowStatus.Helper;
        Check(cancellationToken);
        lock (_lock)
        {
            var operation = $"update conntrack entry {flow.Original}";
            if (!_flows.TryGetValue(Key(flow), out var found)) throw new NetlinkException(operation, Errno.NoSuchEntry);
            var status = flow.Status | change.AddStatus;
            if (change.AddStatus != FlowStatus.None && (found.Status & ~status & (FlowStatus.SeenReply | FlowStatus.Assured)) != 0)
                throw new NetlinkException(operation, Errno.Busy);
            _flows[Key(flow)] = found with
            {
                Status = change.AddStatus == FlowStatus.None ? found.Status : found.Status | (status & Changeable),
                Mark = change.Mark is { } mark ? (found.Mark & ~change.MarkMask) | (mark & change.MarkMask) : found.Mark,
                Timeout = change.Timeout ?? found.Timeout,
                Tcp = change.Tcp ?? found.Tcp,
                Details = Changed(found.Details, change),
            };
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        lock (_lock)
        {
            DeleteRequests += flows.Count;
            var deleted = 0;
            foreach (var flow in flows)
            {
                if (!_flows.TryGetValue(Key(flow), out var found) || (flow.Id != 0 && flow.Id != found.Id)) continue;
                _flows.Remove(Key(flow));
                deleted++;
            }

            return Task.FromResult(deleted);
        }
    }

    /// <inheritdoc/>
    public Task FlushAsync(IpFamily? family = null, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        lock (_lock)
        {
            foreach (var flow in Flows)
            {
                if (family is null || flow.Family == family) _flows.Remove(Key(flow));
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<ConntrackUsage> CountAsync(CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        lock (_lock) return Task.FromResult(new ConntrackUsage((uint)_flows.Count, Limit));
    }

    /// <inheritdoc/>
    public void Dispose() => _isDisposed = true;

    // As the kernel's hash: the tuple, and the zone that its direction has.
    private static (FlowTuple Original, ushort Zone) Key(in Flow flow) => (flow.Original with { Zone = null }, flow.OriginalZone);

    private static FlowDetails? Changed(FlowDetails? details, FlowChange change)
    {
        if (change.Helper is { } helper) details = (details ?? new()) with { Helper = helper.Length == 0 ? null : helper };
        if (change.Labels is not { } labels) return details;
        details ??= new();
        return details with { Labels = (details.Labels & ~change.LabelsMask) | (labels & change.LabelsMask) };
    }

    private Flow? Reply(FlowTuple reply, ushort zone)
    {
        foreach (var flow in _flows.Values)
        {
            if (flow.Reply with { Zone = null } == reply with { Zone = null } && flow.ReplyZone == zone) return flow;
        }

        return null;
    }

    private void Check(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
