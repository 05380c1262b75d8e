using System.Net;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Tests.Rtnetlink;
using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Rtnetlink;

public sealed class RouteClientTests : RouteContract, IDisposable
{
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();
    private readonly RouteClient _client;

    public RouteClientTests() => _client = _ns.Run(() => RouteClient.Open());

    protected override IRouteClient Client => _client;

    protected override IRouteSubscription Subscribe() => _ns.Run(() => _client.Subscribe());

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

    [Fact]
    public async Task A_kind_that_the_kernel_lacks_is_refused() => Assert.Equal(Errno.NotSupported,
        (await Assert.ThrowsAsync<NetlinkException>(() => _client.AddLinkAsync("kind1", "no-such-kind", Ct))).Errno);

    [Fact]
    [Trait("Kernel", "uml")]
    public async Task A_dummy_link_can_be_made()
    {
        try
        {
            await _client.AddLinkAsync("kube-ipvs0", "dummy", Ct);
        }
        catch (NetlinkException error) when (error.Errno == Errno.NotSupported)
        {
            Assert.Skip("the kernel has no dummy links (CONFIG_DUMMY)");
        }

        Assert.Equal("dummy", Assert.Single(await _client.ListLinksAsync(Ct), link => link.Name == "kube-ipvs0").Kind);
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
