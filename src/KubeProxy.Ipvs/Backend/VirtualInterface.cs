using System.Collections.Concurrent;
using KubeProxy.Core.Diff;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netlink;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// The dummy interface that has the virtual addresses of services. It is never switched on: an address of an interface is the node's
/// own either way, and this one needs no packets. Both families share it; each looks after its own addresses.
/// </summary>
internal sealed class VirtualInterface(IRouteClient routes, IpFamily family) : IAsyncDisposable
{
    /// <summary>Upstream's name, so that each takes over from the other.</summary>
    public const string Name = "kube-ipvs0";

    private const string Kind = "dummy";

    // Addresses with the lengths of their prefixes.
    private readonly OwnedCollection<IpAddr, int, RuleOwner> _addresses = new();

    // What we believe to be there, for the thread that reads notifications.
    private readonly ConcurrentDictionary<IpAddr, bool> _bound = new();
    private readonly CancellationTokenSource _stop = new();
    private IRouteSubscription? _subscription;
    private Task _following = Task.CompletedTask;
    private volatile int _index;
    private volatile bool _touched;

    /// <summary>Whether the kernel differs from what is wanted, as far as known.</summary>
    public int ChangeCount => _addresses.ChangeCount;

    /// <summary>Whether somebody else changed something since the last look.</summary>
    public bool Touched { get => _touched; private set => _touched = value; }

    /// <summary>Begins to watch, in the network namespace of the calling thread.</summary>
    /// <param name="touched">Called from any thread when somebody else took an address, or the interface, away.</param>
    public void Start(Action<string> touched)
    {
        _subscription = routes.Subscribe();
        _following = Task.Run(() => FollowAsync(_subscription, touched));
    }

    /// <summary>Wants the addresses for the owner, instead of those before.</summary>
    public void Set(RuleOwner owner, IEnumerable<IpAddr> addresses) => _addresses.Set(owner, [.. addresses.Select(address => KeyValuePair.Create(address, address.Length * 8))]);

    /// <summary>Wants nothing for the owner.</summary>
    public void Remove(RuleOwner owner) => _addresses.Remove(owner);

    /// <summary>Reads what is there.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        Touched = false;
        var link = (await routes.ListLinksAsync(cancellationToken)).FirstOrDefault(link => link.Name == Name);
        _index = link?.Index ?? 0;
        var adoption = _addresses.BeginAdoption();
        _bound.Clear();
        if (link is not null)
        {
            foreach (var address in await routes.ListAddressesAsync(family, cancellationToken))
            {
                if (address.InterfaceIndex != link.Index || address.Address.IsLinkLocal) continue;
                adoption.Observe(address.Address, address.PrefixLength);
                _bound[address.Address] = true;
            }
        }

        adoption.Complete();
    }

    /// <summary>
    /// Makes the interface if it is not there. To be called before virtual services are made: by the interface other modes tell, and clean-up
    /// does, that there are any.
    /// </summary>
    /// <returns>How many things were changed.</returns>
    public Task<int> EnsureAsync(CancellationToken cancellationToken) => EnsureLinkAsync(cancellationToken);

    /// <summary>Makes the interface if it is not there, and its addresses as wanted.</summary>
    /// <param name="refused">Gets whose address the kernel refuses, and why.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many things were changed.</returns>
    public async Task<int> WriteAsync(Dictionary<RuleOwner, string> refused, CancellationToken cancellationToken)
    {
        if (_addresses.ChangeCount == 0 && _index != 0) return 0;
        var made = await EnsureLinkAsync(cancellationToken);
        var changes = _addresses.Diff();
        // One that is there with the prefix of a network is none to be changed: it goes and comes.
        foreach (var address in changes.Removed.Concat(changes.Replaced.Select(entry => entry.Key))) await UnbindAsync(address, cancellationToken);
        foreach (var (address, prefixLength) in changes.Replaced.Concat(changes.Added))
        {
            if (await BindAsync(address, prefixLength, cancellationToken) is { } reason && _addresses.TryGetDesired(address, out _, out var owner))
                refused.TryAdd(owner, reason);
        }

        return made + changes.Removed.Count + changes.Replaced.Count + changes.Added.Count;
    }

    /// <summary>Stops watching.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _subscription?.Dispose();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task<int> EnsureLinkAsync(CancellationToken cancellationToken)
    {
        if (_index != 0) return 0;
        try
        {
            await routes.AddLinkAsync(Name, Kind, cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno == Errno.Exists)
        {
            // The other family was faster.
        }

        await LookAsync(cancellationToken);
        return 1;
    }

    // Returns why the kernel refuses it.
    private async Task<string?> BindAsync(IpAddr address, int prefixLength, CancellationToken cancellationToken)
    {
        _bound[address] = true;
        try
        {
            await routes.AddAddressAsync(new InterfaceAddress(_index, address, prefixLength, Flags: AddressFlags.NoDuplicateDetection), cancellationToken);
        }
        catch (NetlinkException e) when (e is not NetlinkOverrunException)
        {
            // What somebody else did already is as wanted.
            if (e.Errno != Errno.Exists) return e.Message;
        }

        _addresses.Acknowledge(address);
        return null;
    }

    private async Task UnbindAsync(IpAddr address, CancellationToken cancellationToken)
    {
        _bound.TryRemove(address, out _);
        if (!_addresses.TryGetKernel(address, out var prefixLength)) return;
        try
        {
            await routes.DeleteAddressAsync(new InterfaceAddress(_index, address, prefixLength), cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno is Errno.AddressNotAvailable or Errno.NoSuchDevice)
        {
            // The same.
        }

        _addresses.NoteAbsent(address);
    }

    private async Task FollowAsync(IRouteSubscription subscription, Action<string> touched)
    {
        await foreach (var change in subscription.ReadAsync(_stop.Token))
        {
            var (isForeign, what) = change switch
            {
                // What we remove ourselves is no longer among the bound ones by then.
                RouteChange.AddressRemoved(var address) when address.InterfaceIndex == _index => (_bound.TryRemove(address.Address, out _), address.Address.ToString()),
                RouteChange.LinkRemoved(var link) => (link.Index == _index, "the interface"),
                RouteChange.Lost => (true, "something"),
                _ => (false, ""),
            };
            if (!isForeign) continue;
            Touched = true;
            touched($"{what} was removed from {Name}");
        }
    }
}
