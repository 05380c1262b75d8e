using System.Net;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Route;
using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Route;

public sealed class RouteClientTests : IDisposable
{
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();
    private readonly RouteClient _client;

    public RouteClientTests() => _client = _ns.Run(() => RouteClient.Open());

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _ns.Dispose();
    }

    [Fact]
    public async Task Addresses_and_links_are_listed_as_ip_shows_them()
    {
        _ns.Exec("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1");
        _ns.Exec("ip", "address", "add", "192.0.2.1/24", "dev", "v0");
        _ns.Exec("ip", "address", "add", "10.0.0.1", "peer", "10.0.0.2/32", "dev", "v0");
        _ns.Exec("ip", "address", "add", "fd00::1/64", "dev", "v0", "nodad");

        var links = await _client.ListLinksAsync(Ct);
        var v0 = Assert.Single(links, link => link.Name == "v0");
        Assert.Equal("veth", v0.Kind);
        Assert.False(v0.Flags.HasFlag(LinkFlags.Up));
        Assert.True(Assert.Single(links, link => link.Name == "lo").Flags.HasFlag(LinkFlags.Up | LinkFlags.Loopback));
        var addresses = await _client.ListAddressesAsync(cancellationToken: Ct);
        Assert.Equal(["10.0.0.1/32", "127.0.0.1/8", "192.0.2.1/24", "::1/128", "fd00::1/64"],
            addresses.OrderBy(address => address.Address).Select(address => $"{address.Address}/{address.PrefixLength}").Order(StringComparer.Ordinal));
        Assert.Equal(v0.Index, Assert.Single(addresses, address => address.Address == IpAddr.Parse("fd00::1")).InterfaceIndex);
        Assert.All(await _client.ListAddressesAsync(IpFamily.IPv6, Ct), address => Assert.Equal(IpFamily.IPv6, address.Address.Family));
    }

    [Theory]
    [InlineData("192.0.2.7", 32)]
    [InlineData("fd00::7", 128)]
    public async Task Addresses_are_added_and_deleted(string text, int prefixLength)
    {
        var address = new InterfaceAddress(1, IpAddr.Parse(text), prefixLength, Flags: AddressFlags.NoDuplicateDetection);
        await _client.AddAddressAsync(address, Ct);
        Assert.Contains(text, _ns.Exec("ip", "address", "show", "dev", "lo"), StringComparison.Ordinal);
        Assert.Equal(Errno.Exists, (await Assert.ThrowsAsync<NetlinkException>(() => _client.AddAddressAsync(address, Ct))).Errno);

        await _client.DeleteAddressAsync(address, Ct);
        Assert.DoesNotContain(text, _ns.Exec("ip", "address", "show", "dev", "lo"), StringComparison.Ordinal);
        Assert.Equal(Errno.AddressNotAvailable,
            (await Assert.ThrowsAsync<NetlinkException>(() => _client.DeleteAddressAsync(address, Ct))).Errno);
        Assert.Equal(Errno.NoSuchDevice, (await Assert.ThrowsAsync<NetlinkException>(
            () => _client.AddAddressAsync(address with { InterfaceIndex = 4711 }, Ct))).Errno);
    }

    [Fact]
    public async Task Links_are_added_switched_and_deleted()
    {
        await _client.AddLinkAsync("kind0", "veth", Ct); // the kernel picks the peer's name
        Assert.Equal(Errno.Exists, (await Assert.ThrowsAsync<NetlinkException>(() => _client.AddLinkAsync("kind0", "veth", Ct))).Errno);
        var link = Assert.Single(await _client.ListLinksAsync(Ct), link => link.Name == "kind0");
        Assert.Equal("veth", link.Kind);

        await _client.SetLinkUpAsync(link.Index, true, Ct);
        Assert.True(Assert.Single(await _client.ListLinksAsync(Ct), found => found.Index == link.Index).Flags.HasFlag(LinkFlags.Up));
        await _client.SetLinkUpAsync(link.Index, false, Ct);
        Assert.False(Assert.Single(await _client.ListLinksAsync(Ct), found => found.Index == link.Index).Flags.HasFlag(LinkFlags.Up));

        await _client.DeleteLinkAsync(link.Index, Ct);
        Assert.DoesNotContain(await _client.ListLinksAsync(Ct), found => found.Index == link.Index);
        Assert.Equal(Errno.NoSuchDevice, (await Assert.ThrowsAsync<NetlinkException>(() => _client.DeleteLinkAsync(link.Index, Ct))).Errno);
        Assert.Equal(Errno.NotSupported,
            (await Assert.ThrowsAsync<NetlinkException>(() => _client.AddLinkAsync("kind1", "no-such-kind", Ct))).Errno);
    }

    [Fact]
    public async Task Local_addresses_follow_changes_even_when_notifications_are_lost()
    {
        using var client = _ns.Run(() => RouteClient.Open(new NetlinkSocketOptions { ReceiveBuffer = 4096 }));
        var changes = new SemaphoreSlim(0);
        await using var local = await _ns.Run(() => LocalAddresses.StartAsync(client, () => changes.Release(), cancellationToken: Ct));
        Assert.Contains(IpAddr.From(IPAddress.Loopback), local.Current);
        var last = IpAddr.Parse("10.9.200.1");

        _ns.Exec("sh", "-c", "for i in $(seq 1 200); do echo address add 10.9.$i.1/24 dev lo; done | ip -batch -");
        while (!local.Contains(last) || local.Current.Count < 202) await changes.WaitAsync(Ct);
        _ns.Exec("ip", "address", "flush", "dev", "lo", "to", "10.9.0.0/16");
        while (local.Contains(last) || local.Current.Count > 2) await changes.WaitAsync(Ct);

        Assert.Equal([IpAddr.From(IPAddress.IPv6Loopback), IpAddr.From(IPAddress.Loopback)], local.Current.Order());
    }
}
