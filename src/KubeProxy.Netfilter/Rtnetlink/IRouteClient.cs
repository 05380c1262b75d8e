using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>
/// Links and addresses of one network namespace. Implemented by <see cref="RouteClient"/> and, for tests, by
/// <see cref="Testing.InMemoryRoute"/>. All requests fail with <see cref="Netlink.NetlinkException"/> when the kernel refuses.
/// </summary>
public interface IRouteClient : IDisposable
{
    /// <summary>The addresses of all interfaces; of both families for null.</summary>
    Task<IReadOnlyList<InterfaceAddress>> ListAddressesAsync(IpFamily? family = null, CancellationToken cancellationToken = default);

    /// <summary>All interfaces.</summary>
    Task<IReadOnlyList<NetworkLink>> ListLinksAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Begins to collect notifications of changes, in the network namespace of the calling thread. To miss none, subscribe
    /// before listing.
    /// </summary>
    /// <param name="routes">Also of routes that go (<see cref="RouteChange.RouteRemoved"/>); a node that speaks BGP has many.</param>
    IRouteSubscription Subscribe(bool routes = false);

    /// <summary>Adds an address (its flags are given to the kernel). EEXIST when the interface has it.</summary>
    Task AddAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default);

    /// <summary>Removes an address, identified by interface, address and prefix length. EADDRNOTAVAIL when it is not there.</summary>
    Task DeleteAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a virtual link that needs no parameters, such as of kind <c>dummy</c>; it is down. EEXIST when the name is taken,
    /// EOPNOTSUPP when the kernel lacks the kind.
    /// </summary>
    Task AddLinkAsync(string name, string kind, CancellationToken cancellationToken = default);

    /// <summary>Switches a link on or off. ENODEV when there is none.</summary>
    Task SetLinkUpAsync(int index, bool up, CancellationToken cancellationToken = default);

    /// <summary>Deletes a virtual link. ENODEV when there is none.</summary>
    Task DeleteLinkAsync(int index, CancellationToken cancellationToken = default);

    /// <summary>Adds a rule of policy routing. EEXIST when there is the same one.</summary>
    Task AddRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default);

    /// <summary>Deletes a rule of policy routing. ENOENT when there is none.</summary>
    Task DeleteRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a routing table deliver every address of the family to this host: <c>local default dev lo</c>. EEXIST when it does.
    /// </summary>
    Task AddLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default);

    /// <summary>Undoes <see cref="AddLocalDefaultAsync"/>. ESRCH when there is no such route.</summary>
    Task DeleteLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default);
}

/// <summary>Notifications of changes; see <see cref="IRouteClient.Subscribe"/>.</summary>
public interface IRouteSubscription : IDisposable
{
    /// <summary>The changes since the subscription was made, as they come, to one reader. Ends when it is disposed.</summary>
    IAsyncEnumerable<RouteChange> ReadAsync(CancellationToken cancellationToken = default);
}

/// <summary>A change of links, addresses, routes or rules of policy routing. A closed set.</summary>
public abstract record RouteChange
{
    private RouteChange() { }

    /// <summary>An address came, or its state changed.</summary>
    public sealed record AddressSet(InterfaceAddress Address) : RouteChange;

    /// <summary>An address went.</summary>
    public sealed record AddressRemoved(InterfaceAddress Address) : RouteChange;

    /// <summary>A link came, or its state changed.</summary>
    public sealed record LinkSet(NetworkLink Link) : RouteChange;

    /// <summary>A link went. Its addresses went too, each with its own notification.</summary>
    public sealed record LinkRemoved(NetworkLink Link) : RouteChange;

    /// <summary>A rule of policy routing went.</summary>
    /// <param name="Family">The family of the rules that it was one of.</param>
    public sealed record RuleRemoved(IpFamily Family) : RouteChange;

    /// <summary>A route went.</summary>
    /// <param name="Family">Its family.</param>
    /// <param name="Table">The routing table that it was in.</param>
    public sealed record RouteRemoved(IpFamily Family, uint Table) : RouteChange;

    /// <summary>Notifications were lost: list again.</summary>
    public sealed record Lost : RouteChange;
}
