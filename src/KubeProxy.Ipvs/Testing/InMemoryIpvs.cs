using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Ipvs.Testing;

/// <summary>
/// IPVS in memory, as strict as the kernel's. No packet passes through it: tests say which connections there are. Which addresses
/// are broadcast addresses of the host's networks it does not know.
/// </summary>
public sealed class InMemoryIpvs : IIpvs
{
    private readonly Lock _lock = new();
    private readonly Dictionary<VirtualServiceKey, Entry> _services = [];
    private IpvsTimeouts _timeouts = new(TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5));

    private static readonly string[] AllSchedulers =
        ["rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos"];

    /// <summary>The schedulers that the kernel has: at first all of Linux 6.1.</summary>
    public ISet<string> Schedulers { get; } = new HashSet<string>(AllSchedulers, StringComparer.Ordinal);

    /// <summary>The persistence engines that the kernel has: none at first.</summary>
    public ISet<string> PersistenceEngines { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Gives the errno with which an operation is refused although the kernel would do it; 0 to let it through.</summary>
    public Func<IpvsOperation, int>? Refuse { get; set; }

    /// <summary>How many changes were asked for, refused ones included.</summary>
    public int Writes { get; private set; }

    /// <summary>How often services or destinations were listed.</summary>
    public int Dumps { get; private set; }

    /// <summary>Says which connections a destination has.</summary>
    /// <exception cref="KeyNotFoundException">There is no such destination.</exception>
    public void SetConnections(VirtualServiceKey key, IpEndpoint endpoint, uint active, uint inactive = 0, uint persistent = 0)
    {
        lock (_lock)
        {
            var destinations = _services[key].Destinations;
            destinations[endpoint] = destinations[endpoint] with
            {
                ActiveConnections = active, InactiveConnections = inactive, PersistentConnections = persistent,
            };
        }
    }

    /// <summary>Says what passed through a service.</summary>
    /// <exception cref="KeyNotFoundException">There is no such service.</exception>
    public void SetStatistics(VirtualServiceKey key, IpvsStatistics statistics)
    {
        lock (_lock) _services[key].Statistics = statistics;
    }

    /// <inheritdoc/>
    public Task<IpvsInfo> GetInfoAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(new IpvsInfo(new Version(1, 2, 1), 4096));

    /// <inheritdoc/>
    public Task<IReadOnlyList<VirtualServiceState>> ListServicesAsync(IpFamily? family = null, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Dumps++;
            return Task.FromResult<IReadOnlyList<VirtualServiceState>>(
                [.. _services.Values.Where(entry => family is null || entry.Service.Key.Family == family).Select(entry => entry.State)]);
        }
    }

    /// <inheritdoc/>
    public Task<VirtualServiceState?> FindServiceAsync(VirtualServiceKey key, CancellationToken cancellationToken = default)
    {
        lock (_lock) return Task.FromResult(_services.GetValueOrDefault(key)?.State);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<DestinationState>> ListDestinationsAsync(VirtualServiceKey key, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Dumps++;
            return Task.FromResult<IReadOnlyList<DestinationState>>(
                _services.TryGetValue(key, out var entry) ? [.. entry.Destinations.Values] : []);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<IpvsRefusal>> ApplyAsync(IReadOnlyList<IpvsOperation> operations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(operations);
        List<IpvsRefusal> refusals = [];
        lock (_lock)
        {
            for (var i = 0; i < operations.Count; i++)
            {
                Writes++;
                var errno = Refuse?.Invoke(operations[i]) ?? 0;
                if (errno == 0) errno = Apply(operations[i]);
                if (errno != 0) refusals.Add(new IpvsRefusal(i, new NetlinkException(operations[i].ToString(), errno)));
            }
        }

        return Task.FromResult<IReadOnlyList<IpvsRefusal>>(refusals);
    }

    /// <inheritdoc/>
    public Task<IpvsTimeouts> GetTimeoutsAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock) return Task.FromResult(_timeouts);
    }

    /// <inheritdoc/>
    public Task SetTimeoutsAsync(IpvsTimeouts timeouts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(timeouts);
        lock (_lock)
        {
            Writes++;
            _timeouts = new IpvsTimeouts(
                Changed(_timeouts.Tcp, timeouts.Tcp), Changed(_timeouts.TcpFin, timeouts.TcpFin), Changed(_timeouts.Udp, timeouts.Udp));
            return Task.CompletedTask;
        }

        static TimeSpan Changed(TimeSpan now, TimeSpan wanted) => wanted == TimeSpan.Zero ? now : wanted;
    }

    /// <inheritdoc/>
    public Task ZeroAsync(VirtualServiceKey? key = null, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Writes++;
            if (key is { } one && !_services.ContainsKey(one))
                return Task.FromException(new NetlinkException($"zero virtual service {one}", Errno.NoSuchProcess));
            foreach (var entry in _services.Values.Where(entry => key is null || entry.Service.Key == key)) entry.Statistics = default;
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Writes++;
            _services.Clear();
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    // The order of the checks is that of ip_vs_genl_set_cmd (net/netfilter/ipvs/ip_vs_ctl.c).
    private int Apply(IpvsOperation operation)
    {
        var entry = _services.GetValueOrDefault(operation.Service);
        if (operation is IpvsOperation.AddService { Value: var added })
        {
            var errno = entry is null ? Check(added) : Errno.Exists;
            if (errno == 0) _services.Add(added.Key, new Entry(Stored(added)));
            return errno;
        }

        if (entry is null) return Errno.NoSuchProcess;
        switch (operation)
        {
            case IpvsOperation.SetService set:
                var refused = Check(set.Value);
                if (refused == 0) entry.Service = Stored(set.Value);
                return refused;
            case IpvsOperation.DeleteService delete:
                _services.Remove(delete.Key);
                return 0;
            case IpvsOperation.AddDestination add:
                return AddDestination(entry, add.Value);
            case IpvsOperation.SetDestination set:
                return SetDestination(entry, set.Value);
            case IpvsOperation.DeleteDestination delete:
                return entry.Destinations.Remove(delete.Endpoint) ? 0 : Errno.NoSuchEntry;
            default:
                return Errno.InvalidArgument;
        }
    }

    private int Check(VirtualService service)
    {
        const int MaxNameLength = 15; // IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN with the zero
        if (service.Scheduler.Length > MaxNameLength || service.PersistenceEngine?.Length > MaxNameLength) return Errno.InvalidArgument;
        if (service.Scheduler != "none" && !Schedulers.Contains(service.Scheduler)) return Errno.NoSuchEntry;
        if (service.PersistenceEngine is { Length: > 0 } engine && !PersistenceEngines.Contains(engine)) return Errno.NoSuchEntry;
        return service.Key.Family == IpFamily.IPv6 && service.PersistencePrefixLength is < 1 or > 128 ? Errno.InvalidArgument : 0;
    }

    private static int AddDestination(Entry entry, Destination destination)
    {
        var errno = Check(entry.Service, destination);
        if (errno != 0) return errno;
        if (entry.Destinations.ContainsKey(destination.Endpoint)) return Errno.Exists;
        if (!IsUnicast(destination.Endpoint.Address)) return Errno.InvalidArgument;
        entry.Destinations.Add(destination.Endpoint, new DestinationState(Stored(destination), 0, 0, 0, default));
        return 0;
    }

    private static int SetDestination(Entry entry, Destination destination)
    {
        var errno = Check(entry.Service, destination);
        if (errno != 0) return errno;
        if (!entry.Destinations.TryGetValue(destination.Endpoint, out var state)) return Errno.NoSuchEntry;
        entry.Destinations[destination.Endpoint] = state with { Destination = Stored(destination) };
        return 0;
    }

    private static int Check(VirtualService service, Destination destination)
    {
        if (destination.Endpoint.Address.Family != service.Key.Family && destination.Method != ForwardingMethod.Tunnel) return Errno.InvalidArgument;
        if (destination.Weight < 0 || destination.LowerThreshold > destination.UpperThreshold) return Errno.OutOfRange;
        if (destination.UpperThreshold > int.MaxValue) return Errno.InvalidArgument;
        return destination.Tunnel is { Kind: TunnelKind.Gue, Port: 0 } ? Errno.InvalidArgument : 0;
    }

    private static bool IsUnicast(IpAddr address) => address.Family == IpFamily.IPv4
        ? address.Value != 0 && address.Value >> 28 != 0xE && address.Value != uint.MaxValue
        : address.Value != 0 && address.Value >> 120 != 0xFF && address.Value >> 118 != 0xFE80 >> 6;

    /// <summary>As it is read back: what says nothing is left out.</summary>
    private static VirtualService Stored(VirtualService service) => service with
    {
        PersistencePrefixLength = service.PersistencePrefixLength == (service.Key.Family == IpFamily.IPv4 ? 32 : 128) ? null : service.PersistencePrefixLength,
        PersistenceEngine = service.PersistenceEngine is "" ? null : service.PersistenceEngine,
    };

    private static Destination Stored(Destination destination) =>
        destination.Method != ForwardingMethod.Tunnel || destination.Tunnel == new DestinationTunnel(TunnelKind.Ipip)
            ? destination with { Tunnel = null }
            : destination;

    private sealed class Entry(VirtualService service)
    {
        public VirtualService Service { get; set; } = service;

        public IpvsStatistics Statistics { get; set; }

        public Dictionary<IpEndpoint, DestinationState> Destinations { get; } = [];

        public VirtualServiceState State => new(Service, Statistics);
    }
}
