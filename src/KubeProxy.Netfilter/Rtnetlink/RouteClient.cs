using System.Runtime.CompilerServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>The kernel's links and addresses, over rtnetlink (RFC 3549, linux/rtnetlink.h). Thread-safe.</summary>
public sealed class RouteClient : IRouteClient
{
    private readonly NetlinkChannel _channel;
    private readonly Func<INetlinkTransport> _openSubscription;

    /// <summary>Takes over the channel, and disposes it with itself.</summary>
    /// <param name="channel">For requests.</param>
    /// <param name="openSubscription">Opens the transport of a subscription, which is disposed with that.</param>
    public RouteClient(NetlinkChannel channel, Func<INetlinkTransport> openSubscription) =>
        (_channel, _openSubscription) = (channel, openSubscription);

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <inheritdoc cref="NetlinkSocket.Open" path="/exception"/>
    public static RouteClient Open(NetlinkSocketOptions? options = null) => new(
        NetlinkChannel.Open(NetlinkProtocol.Route, options), () => NetlinkSocket.Open(NetlinkProtocol.Route, options));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<InterfaceAddress>> ListAddressesAsync(
        IpFamily? family = null, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        RouteEncoder.PutListAddresses(request, family);
        List<InterfaceAddress> addresses = [];
        await _channel.DumpAsync("list addresses", request, message =>
        {
            if (RouteDecoder.DecodeAddress(message) is { } address) addresses.Add(address);
        }, addresses.Clear, cancellationToken);
        return addresses;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NetworkLink>> ListLinksAsync(CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        RouteEncoder.PutListLinks(request);
        List<NetworkLink> links = [];
        await _channel.DumpAsync(
            "list links", request, message => links.Add(RouteDecoder.DecodeLink(message)), links.Clear, cancellationToken);
        return links;
    }

    /// <inheritdoc/>
    public IRouteSubscription Subscribe(bool routes = false)
    {
        RtGroup[] groups = [RtGroup.Link, RtGroup.IPv4Address, RtGroup.IPv6Address, RtGroup.IPv4Rule, RtGroup.IPv6Rule];
        if (routes) groups = [.. groups, RtGroup.IPv4Route, RtGroup.IPv6Route];
        var transport = _openSubscription();
        try
        {
            return new Subscription(new NetlinkSubscription(transport, [.. groups.Select(group => (uint)group)]));
        }
        catch
        {
            transport.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task AddAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"add address {address.Address}/{address.PrefixLength} to interface {address.InterfaceIndex}",
            writer => RouteEncoder.PutAddress(writer, RtMessage.NewAddress, NlMsgFlags.Create | NlMsgFlags.Exclusive, address), cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"delete address {address.Address}/{address.PrefixLength} of interface {address.InterfaceIndex}",
            writer => RouteEncoder.PutAddress(writer, RtMessage.DeleteAddress, NlMsgFlags.None, address), cancellationToken);

    /// <inheritdoc/>
    public Task AddLinkAsync(string name, string kind, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"add link {name} of kind {kind}", writer => RouteEncoder.PutNewLink(writer, name, kind), cancellationToken);

    /// <inheritdoc/>
    public Task SetLinkUpAsync(int index, bool up, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"switch link {index} {(up ? "on" : "off")}", writer => RouteEncoder.PutLinkUp(writer, index, up), cancellationToken);

    /// <inheritdoc/>
    public Task DeleteLinkAsync(int index, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"delete link {index}", writer => RouteEncoder.PutDeleteLink(writer, index), cancellationToken);

    /// <inheritdoc/>
    public Task AddRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"add {rule}", writer => RouteEncoder.PutRule(writer, RtMessage.NewRule, NlMsgFlags.Create | NlMsgFlags.Exclusive, rule), cancellationToken);

    /// <inheritdoc/>
    public Task DeleteRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"delete {rule}", writer => RouteEncoder.PutRule(writer, RtMessage.DeleteRule, NlMsgFlags.None, rule), cancellationToken);

    /// <inheritdoc/>
    public Task AddLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"add local default to {family} routing table {table}", writer => RouteEncoder.PutLocalDefault(
            writer, RtMessage.NewRoute, NlMsgFlags.Create | NlMsgFlags.Exclusive, family, table), cancellationToken);

    /// <inheritdoc/>
    public Task DeleteLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default) =>
        ExecuteAsync($"delete local default from {family} routing table {table}",
            writer => RouteEncoder.PutLocalDefault(writer, RtMessage.DeleteRoute, NlMsgFlags.None, family, table), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private async Task ExecuteAsync(string operation, Action<NlMsgWriter> put, CancellationToken cancellationToken)
    {
        using var request = new NlMsgWriter();
        put(request);
        await _channel.ExecuteAsync(operation, request, cancellationToken);
    }

    private sealed class Subscription(NetlinkSubscription notifications) : IRouteSubscription
    {
        public async IAsyncEnumerable<RouteChange> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var notification in notifications.ReadAsync(cancellationToken))
            {
                foreach (var change in Decode(notification)) yield return change;
            }
        }

        public void Dispose() => notifications.Dispose();

        private static List<RouteChange> Decode(NetlinkNotification notification)
        {
            if (notification.IsOverflow) return [new RouteChange.Lost()];
            List<RouteChange> changes = [];
            foreach (var message in notification.Messages)
            {
                if (RouteDecoder.DecodeChange(message) is { } change) changes.Add(change);
            }

            return changes;
        }
    }
}
