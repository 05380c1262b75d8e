using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>
/// The addresses of this node, kept up to date: read once, then followed by notifications, and read again when some were lost.
/// </summary>
public sealed class LocalAddresses : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly IRouteClient _client;
    private readonly IRouteSubscription _subscription;
    private readonly Action _changed;
    private readonly string? _exceptInterface;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<(int Interface, IpAddr Address, int PrefixLength), InterfaceAddress> _known = [];
    private volatile ImmutableHashSet<IpAddr> _current = [];
    private Task _following = Task.CompletedTask;

    private int? _exceptIndex;

    private LocalAddresses(IRouteClient client, Action changed, string? exceptInterface, TimeProvider time) =>
        (_client, _subscription, _changed, _exceptInterface, _time) = (client, client.Subscribe(), changed, exceptInterface, time);

    /// <summary>
    /// The addresses of all interfaces and families, IPv6 ones that failed duplicate detection excepted; immutable, replaced when
    /// they change.
    /// </summary>
    public ImmutableHashSet<IpAddr> Current => _current;

    /// <summary>Completes when following ends: on disposal, or with the error that makes it impossible.</summary>
    public Task Completion => _following;

    /// <summary>Subscribes (in the network namespace of the calling thread) and reads.</summary>
    /// <param name="client">Must outlive this object.</param>
    /// <param name="changed">Called on a thread of the pool after <see cref="Current"/> was replaced.</param>
    /// <param name="exceptInterface">The name of an interface whose addresses do not count, whether it is there yet or not; null for none.</param>
    /// <param name="time">For the pause before reading again after a failure.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public static async Task<LocalAddresses> StartAsync(
        IRouteClient client, Action changed, string? exceptInterface = null, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        var addresses = new LocalAddresses(client, changed, exceptInterface, time ?? TimeProvider.System);
        try
        {
            await addresses.ReadAllAsync(cancellationToken);
            addresses._current = addresses.Usable();
        }
        catch
        {
            await addresses.DisposeAsync();
            throw;
        }

        addresses._following = Task.Run(addresses.FollowAsync, CancellationToken.None);
        return addresses;
    }

    /// <summary>Whether the address is one of this node's.</summary>
    public bool Contains(IpAddr address) => _current.Contains(address);

    /// <summary>Stops following.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _subscription.Dispose();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task FollowAsync()
    {
        try
        {
            await foreach (var change in _subscription.ReadAsync(_stop.Token))
            {
                if (change is RouteChange.Lost ? await ReadAgainAsync() : Apply(change)) Publish();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    /// <summary>Reads everything; the kernel refuses that only for a moment, if at all.</summary>
    private async Task<bool> ReadAgainAsync()
    {
        while (true)
        {
            try
            {
                await ReadAllAsync(_stop.Token);
                return true;
            }
            catch (NetlinkException)
            {
                await Task.Delay(RetryDelay, _time, _stop.Token);
            }
        }
    }

    private async Task ReadAllAsync(CancellationToken cancellationToken)
    {
        if (_exceptInterface is not null)
            _exceptIndex = (await _client.ListLinksAsync(cancellationToken)).FirstOrDefault(link => link.Name == _exceptInterface)?.Index;
        var all = await _client.ListAddressesAsync(cancellationToken: cancellationToken);
        _known.Clear();
        foreach (var address in all) _known[Key(address)] = address;
    }

    private bool Apply(RouteChange change)
    {
        switch (change)
        {
            case RouteChange.AddressSet(var address):
                _known[Key(address)] = address;
                return address.InterfaceIndex != _exceptIndex;
            case RouteChange.AddressRemoved(var address):
                return _known.Remove(Key(address)) && address.InterfaceIndex != _exceptIndex;
            case RouteChange.LinkSet(var link) when _exceptInterface is not null:
                return Except(link);
            default:
                return false;
        }
    }

    // An interface has its name before it has addresses, but it may get that name, or lose it, later.
    private bool Except(NetworkLink link)
    {
        int? except = link.Name == _exceptInterface ? link.Index : _exceptIndex == link.Index ? null : _exceptIndex;
        var changed = except != _exceptIndex;
        _exceptIndex = except;
        return changed;
    }

    private void Publish()
    {
        var usable = Usable();
        if (_current.SetEquals(usable)) return;
        _current = usable;
        _changed();
    }

    private ImmutableHashSet<IpAddr> Usable() =>
        [.. _known.Values.Where(address => address.InterfaceIndex != _exceptIndex && !address.Flags.HasFlag(AddressFlags.DuplicateDetected)).Select(address => address.Address)];

    private static (int, IpAddr, int) Key(InterfaceAddress address) => (address.InterfaceIndex, address.Address, address.PrefixLength);
}
