using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Rtnetlink.Testing;

/// <summary>Links and addresses in memory, as strict as the kernel's, with notifications. Begins with <c>lo</c>, index 1, without addresses.</summary>
public sealed class InMemoryRoute : IRouteClient
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, NetworkLink> _links = new() { [1] = new NetworkLink(1, "lo", null, LinkFlags.Up | LinkFlags.Loopback) };
    private readonly Dictionary<(int, IpAddr, int), InterfaceAddress> _addresses = [];
    private readonly List<Channel<RouteChange>> _subscriptions = [];
    private readonly HashSet<PolicyRule> _rules = [];
    private readonly HashSet<(IpFamily Family, uint Table)> _localDefaults = [];
    private int _lastIndex = 1;

    /// <summary>The rules of policy routing that were added.</summary>
    public IReadOnlyList<PolicyRule> Rules
    {
        get
        {
            lock (_lock) return [.. _rules];
        }
    }

    /// <summary>The routing tables that deliver everything to this host.</summary>
    public IReadOnlyList<(IpFamily Family, uint Table)> LocalDefaults
    {
        get
        {
            lock (_lock) return [.. _localDefaults];
        }
    }

    /// <summary>How often addresses or links were listed.</summary>
    public int Dumps { get; private set; }

    /// <summary>Tells every subscriber that notifications were lost.</summary>
    public void LoseNotifications() => Notify(new RouteChange.Lost());

    /// <summary>Makes the next changes without telling subscribers, until disposed: what a full receive buffer does.</summary>
    public IDisposable Silence() => new Muted(this);

    /// <inheritdoc/>
    public Task<IReadOnlyList<InterfaceAddress>> ListAddressesAsync(IpFamily? family = null, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Dumps++;
            return Task.FromResult<IReadOnlyList<InterfaceAddress>>(
                [.. _addresses.Values.Where(address => family is null || address.Address.Family == family)]);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<NetworkLink>> ListLinksAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Dumps++;
            return Task.FromResult<IReadOnlyList<NetworkLink>>([.. _links.Values]);
        }
    }

    /// <inheritdoc/>
    public IRouteSubscription Subscribe(bool routes = false)
    {
        var channel = Channel.CreateUnbounded<RouteChange>();
        lock (_lock) _subscriptions.Add(channel);
        return new Subscription(this, channel);
    }

    /// <inheritdoc/>
    public Task AddAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            var operation = $"add address {address.Address}";
            if (!_links.ContainsKey(address.InterfaceIndex)) return Refuse(operation, Errno.NoSuchDevice);
            if (address.PrefixLength < 0 || address.PrefixLength > address.Address.Length * 8) return Refuse(operation, Errno.InvalidArgument);
            if (!_addresses.TryAdd(Key(address), address)) return Refuse(operation, Errno.Exists);
            Notify(new RouteChange.AddressSet(address));
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task DeleteAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            var operation = $"delete address {address.Address}";
            if (!_links.ContainsKey(address.InterfaceIndex)) return Refuse(operation, Errno.NoSuchDevice);
            if (!_addresses.Remove(Key(address), out var removed)) return Refuse(operation, Errno.AddressNotAvailable);
            Notify(new RouteChange.AddressRemoved(removed));
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task AddLinkAsync(string name, string kind, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_links.Values.Any(link => link.Name == name)) return Refuse($"add link {name}", Errno.Exists);
            if (name.Length == 0) return Refuse("add link without a name", Errno.InvalidArgument);
            if (name.Length > 15) return Refuse($"add link {name}", Errno.OutOfRange);
            var link = new NetworkLink(++_lastIndex, name, kind, LinkFlags.None);
            _links.Add(link.Index, link);
            Notify(new RouteChange.LinkSet(link));
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task SetLinkUpAsync(int index, bool up, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (!_links.TryGetValue(index, out var link)) return Refuse($"switch link {index}", Errno.NoSuchDevice);
            _links[index] = link with { Flags = up ? link.Flags | LinkFlags.Up : link.Flags & ~LinkFlags.Up };
            Notify(new RouteChange.LinkSet(_links[index]));
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task AddRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default)
    {
        lock (_lock) return _rules.Add(rule) ? Task.CompletedTask : Refuse($"add {rule}", Errno.Exists);
    }

    /// <inheritdoc/>
    public Task DeleteRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_rules.FirstOrDefault(Matches) is not { } found) return Refuse($"delete {rule}", Errno.NoSuchEntry);
            _rules.Remove(found);
            Notify(new RouteChange.RuleRemoved(found.Family));
            return Task.CompletedTask;
        }

        bool Matches(PolicyRule candidate) =>
            candidate == (rule.Mask == 0 ? rule with { Mark = candidate.Mark, Mask = candidate.Mask } : rule);
    }

    /// <inheritdoc/>
    public Task AddLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default)
    {
        lock (_lock) return _localDefaults.Add((family, table)) ? Task.CompletedTask : Refuse($"add local default to table {table}", Errno.Exists);
    }

    /// <inheritdoc/>
    public Task DeleteLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (!_localDefaults.Remove((family, table))) return Refuse($"delete local default from table {table}", Errno.NoSuchProcess);
            Notify(new RouteChange.RouteRemoved(family, table));
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task DeleteLinkAsync(int index, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (!_links.TryGetValue(index, out var link)) return Refuse($"delete link {index}", Errno.NoSuchDevice);
            if (link.Kind is null) return Refuse($"delete link {index}", Errno.NotSupported);
            foreach (var address in _addresses.Values.Where(address => address.InterfaceIndex == index).ToList())
            {
                _addresses.Remove(Key(address));
                Notify(new RouteChange.AddressRemoved(address));
            }

            _links.Remove(index);
            Notify(new RouteChange.LinkRemoved(link));
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var subscription in _subscriptions) subscription.Writer.TryComplete();
        }
    }

    private bool IsSilent { get; set; }

    private void Notify(RouteChange change)
    {
        lock (_lock)
        {
            if (IsSilent) return;
            foreach (var subscription in _subscriptions) subscription.Writer.TryWrite(change);
        }
    }

    private static Task Refuse(string operation, int errno) => Task.FromException(new NetlinkException(operation, errno));

    private static (int, IpAddr, int) Key(InterfaceAddress address) => (address.InterfaceIndex, address.Address, address.PrefixLength);

    private sealed class Muted : IDisposable
    {
        private readonly InMemoryRoute _owner;

        public Muted(InMemoryRoute owner) => (_owner = owner).IsSilent = true;

        public void Dispose() => _owner.IsSilent = false;
    }

    private sealed class Subscription(InMemoryRoute owner, Channel<RouteChange> channel) : IRouteSubscription
    {
        public async IAsyncEnumerable<RouteChange> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken)) yield return change;
        }

        public void Dispose()
        {
            channel.Writer.TryComplete();
            lock (owner._lock) owner._subscriptions.Remove(channel);
        }
    }
}
