using KubeProxy.Core.Diff;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// The virtual services that are wanted and those that the kernel has, and the way from these to those. Wishes come from the sync
/// loop, and news of the kernel from there and from whoever watches it, so every access is guarded; calls that write are one at a time.
/// </summary>
internal sealed class ServerWriter(IIpvs ipvs, KernelReader reader)
{
    // Enough to make the cost of a system call small, and few enough to keep a cold start from holding them all.
    private const int ServersAtATime = 256;
    private const int OperationsAtATime = 4096;

    // The kernel looks for a destination in a list of all those of its virtual service, so a list of n takes n * n steps to write: 100,000
    // destinations a minute or more. After so many steps, half a second or less, it is the turn of whatever else has changed.
    private const long StepsAtATime = 50_000_000;

    private readonly Lock _gate = new();
    private readonly OwnedCollection<VirtualServiceKey, VirtualServer, RuleOwner> _servers = new();
    private readonly HashSet<VirtualServiceKey> _draining = [];

    /// <summary>Changes with everything that is written.</summary>
    public int Version { get; private set; }

    /// <summary>Those with destinations that only keep the connections they have.</summary>
    public IReadOnlyList<VirtualServiceKey> Draining
    {
        get
        {
            lock (_gate) return [.. _draining];
        }
    }

    /// <summary>Wants the virtual services for the owner, instead of those before.</summary>
    public void Set(RuleOwner owner, IEnumerable<VirtualServer> servers)
    {
        lock (_gate)
        {
            // One without endpoints is wanted only where there are connections to wait for.
            _servers.Set(owner, [.. servers.Where(server => !server.IsEmpty || _servers.TryGetKernel(server.Service.Key, out _))
                .Select(server => KeyValuePair.Create(server.Service.Key, server))]);
        }
    }

    /// <summary>Wants nothing for the owner.</summary>
    public void Remove(RuleOwner owner)
    {
        lock (_gate) _servers.Remove(owner);
    }

    /// <summary>Whether the kernel has a virtual service with the scheduler, as far as known.</summary>
    public bool Knows(string scheduler)
    {
        lock (_gate) return _servers.KernelKeys.Any(key => _servers.TryGetKernel(key, out var server) && server.Service.Scheduler == scheduler);
    }

    /// <summary>Takes over all that was read.</summary>
    /// <returns>How many virtual services became different from what is wanted.</returns>
    public int Adopt(IReadOnlyList<VirtualServer> found)
    {
        lock (_gate)
        {
            var before = _servers.ChangeCount;
            var adoption = _servers.BeginAdoption();
            _draining.Clear();
            foreach (var server in found)
            {
                // Unless it is wanted: then it is a matter between us and whoever made it.
                if (reader.IsExcluded(server.Service.Key) && !_servers.TryGetDesired(server.Service.Key, out _, out _)) continue;
                adoption.Observe(server.Service.Key, server);
                if (!server.Draining.IsEmpty) _draining.Add(server.Service.Key);
            }

            adoption.Complete();
            return Math.Max(0, _servers.ChangeCount - before);
        }
    }

    /// <summary>
    /// Writes the difference, short lists of destinations first, until all is written or it took long enough. Those that the kernel refuses are
    /// read again.
    /// </summary>
    /// <returns>How many objects were written, how many virtual services still differ, and the refusals, by owner.</returns>
    public async Task<(int Operations, int Pending, Dictionary<RuleOwner, string> Refused)> WriteAsync(CancellationToken cancellationToken)
    {
        var written = 0;
        var steps = 0L;
        Dictionary<RuleOwner, string> refused = [];
        var left = new Queue<VirtualServiceKey>(Differing());
        while (left.Count > 0 && steps < StepsAtATime)
        {
            List<IpvsOperation> operations = [];
            var outcomes = Plan(left, operations, ref steps);
            if (operations.Count == 0) continue;
            Version++;
            var refusals = await ipvs.ApplyAsync(operations, cancellationToken);
            written += operations.Count - refusals.Count;
            foreach (var (index, error) in refusals)
            {
                var key = operations[index].Service;
                outcomes[key] = await reader.ReadAsync(key, cancellationToken);
                if (OwnerOf(key) is { } owner) refused.TryAdd(owner, $"{operations[index]}: {Explain(operations[index], error)}");
            }

            Note(outcomes);
        }

        return (written, left.Count, refused);
    }

    /// <summary>Deletes destinations that are not wanted any more and have no connection left.</summary>
    /// <param name="keys">Which virtual services to look at.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many were deleted.</returns>
    public async Task<int> DrainAsync(IReadOnlyList<VirtualServiceKey> keys, CancellationToken cancellationToken)
    {
        List<IpvsOperation> operations = [];
        foreach (var key in keys)
        {
            if (Find(key) is not { Draining.IsEmpty: false } server) continue;
            var busy = (await ipvs.ListDestinationsAsync(key, cancellationToken))
                .Where(destination => destination.HasConnections).Select(destination => destination.Destination.Endpoint).ToHashSet();
            var idle = server.Draining.Where(endpoint => !busy.Contains(endpoint)).ToArray();
            if (server.IsLeftWith(idle)) operations.Add(new IpvsOperation.DeleteService(key));
            else operations.AddRange(idle.Select(endpoint => new IpvsOperation.DeleteDestination(key, endpoint)));
        }

        if (operations.Count == 0) return 0;
        Version++;
        var refusals = await ipvs.ApplyAsync(operations, cancellationToken);
        Dictionary<VirtualServiceKey, VirtualServer?> outcomes = [];
        foreach (var key in operations.Select(operation => operation.Service).Distinct()) outcomes[key] = await reader.ReadAsync(key, cancellationToken);
        Note(outcomes);
        return operations.Count - refusals.Count;
    }

    private VirtualServiceKey[] Differing()
    {
        lock (_gate)
        {
            var changes = _servers.Diff();
            VirtualServiceKey[] keys = [.. changes.Removed, .. changes.Replaced.Select(entry => entry.Key), .. changes.Added.Select(entry => entry.Key)];
            return [.. keys.OrderBy(LengthOf)];
        }
    }

    // Takes from the queue what fits into one request; a list that is longer stays at its head.
    private Dictionary<VirtualServiceKey, VirtualServer?> Plan(Queue<VirtualServiceKey> left, List<IpvsOperation> operations, ref long steps)
    {
        lock (_gate)
        {
            Dictionary<VirtualServiceKey, VirtualServer?> outcomes = [];
            while (left.TryPeek(out var key) && outcomes.Count < ServersAtATime && operations.Count < OperationsAtATime)
            {
                var before = operations.Count;
                var found = _servers.TryGetKernel(key, out var kernel) ? kernel : null;
                var wanted = _servers.TryGetDesired(key, out var desired, out _) ? desired : null;
                var length = LengthOf(key);
                var room = (int)Math.Clamp((StepsAtATime - steps) / Math.Max(1, length), 1, OperationsAtATime);
                var outcome = VirtualServerDifference.Write(found, wanted, operations, room);
                if (operations.Count > before) outcomes[key] = outcome;
                steps += (long)(operations.Count - before) * length;
                if (operations.Count - before >= room && outcome is not null && outcome with { Draining = [] } != wanted) break;
                left.Dequeue();
                if (steps >= StepsAtATime) break;
            }

            return outcomes;
        }
    }

    private int LengthOf(VirtualServiceKey key) => Math.Max(
        _servers.TryGetKernel(key, out var found) ? found.Count : 0, _servers.TryGetDesired(key, out var wanted, out _) ? wanted.Count : 0);

    private void Note(Dictionary<VirtualServiceKey, VirtualServer?> outcomes)
    {
        lock (_gate)
        {
            foreach (var (key, server) in outcomes)
            {
                if (server is null) _servers.NoteAbsent(key);
                else _servers.NoteKernel(key, server);
                if (server is { Draining.IsEmpty: false }) _draining.Add(key);
                else _draining.Remove(key);
            }
        }
    }

    private VirtualServer? Find(VirtualServiceKey key)
    {
        lock (_gate) return _servers.TryGetKernel(key, out var server) ? server : null;
    }

    private RuleOwner? OwnerOf(VirtualServiceKey key)
    {
        lock (_gate) return _servers.TryGetDesired(key, out _, out var owner) ? owner : null;
    }

    private static string Explain(IpvsOperation operation, Netlink.NetlinkException error) =>
        operation is IpvsOperation.AddService or IpvsOperation.SetService && error.Errno == Netlink.Errno.NoSuchEntry
            ? $"the kernel has no such scheduler ({Netlink.Errno.Name(error.Errno)})"
            : error.Message;
}
