using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Rtnetlink;

/// <summary>What every <see cref="IRouteClient"/> does: the kernel's and the one in memory. Compiled into both test programs.</summary>
public abstract class RouteContract
{
    private const int Loopback = 1;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract IRouteClient Client { get; }

    protected abstract IRouteSubscription Subscribe();

    [Theory]
    [InlineData("192.0.2.7", 32)]
    [InlineData("fd00::7", 128)]
    public async Task Addresses_are_added_and_deleted(string text, int prefixLength)
    {
        var address = new InterfaceAddress(Loopback, IpAddr.Parse(text), prefixLength, Flags: AddressFlags.NoDuplicateDetection);

        await Client.AddAddressAsync(address, Ct);
        Assert.Single(await Client.ListAddressesAsync(address.Address.Family, Ct), found => found.Address == address.Address);
        await AssertRefusedAsync(Errno.Exists, Client.AddAddressAsync(address, Ct));

        await Client.DeleteAddressAsync(address, Ct);
        Assert.DoesNotContain(await Client.ListAddressesAsync(cancellationToken: Ct), found => found.Address == address.Address);
        await AssertRefusedAsync(Errno.AddressNotAvailable, Client.DeleteAddressAsync(address, Ct));
    }

    [Fact]
    public async Task Addresses_of_missing_links_and_impossible_ones_are_refused()
    {
        var address = new InterfaceAddress(4711, IpAddr.Parse("192.0.2.7"), 32);
        await AssertRefusedAsync(Errno.NoSuchDevice, Client.AddAddressAsync(address, Ct));
        await AssertRefusedAsync(Errno.NoSuchDevice, Client.DeleteAddressAsync(address, Ct));
        await AssertRefusedAsync(Errno.InvalidArgument, Client.AddAddressAsync(address with { InterfaceIndex = Loopback, PrefixLength = 33 }, Ct));
    }

    [Fact]
    public async Task Links_are_added_switched_and_deleted()
    {
        await Client.AddLinkAsync("kind0", "veth", Ct);
        await AssertRefusedAsync(Errno.Exists, Client.AddLinkAsync("kind0", "veth", Ct));
        var link = Assert.Single(await Client.ListLinksAsync(Ct), link => link.Name == "kind0");
        Assert.Equal("veth", link.Kind);
        Assert.False(link.Flags.HasFlag(LinkFlags.Up));

        await Client.SetLinkUpAsync(link.Index, true, Ct);
        Assert.True(Assert.Single(await Client.ListLinksAsync(Ct), found => found.Index == link.Index).Flags.HasFlag(LinkFlags.Up));
        await Client.SetLinkUpAsync(link.Index, false, Ct);
        Assert.False(Assert.Single(await Client.ListLinksAsync(Ct), found => found.Index == link.Index).Flags.HasFlag(LinkFlags.Up));

        await Client.AddAddressAsync(new InterfaceAddress(link.Index, IpAddr.Parse("192.0.2.8"), 32), Ct);
        await Client.DeleteLinkAsync(link.Index, Ct);
        Assert.DoesNotContain(await Client.ListLinksAsync(Ct), found => found.Index == link.Index);
        Assert.DoesNotContain(await Client.ListAddressesAsync(cancellationToken: Ct), found => found.InterfaceIndex == link.Index);
        await AssertRefusedAsync(Errno.NoSuchDevice, Client.DeleteLinkAsync(link.Index, Ct));
        await AssertRefusedAsync(Errno.NoSuchDevice, Client.SetLinkUpAsync(link.Index, true, Ct));
        await AssertRefusedAsync(Errno.NotSupported, Client.DeleteLinkAsync(Loopback, Ct));
        await AssertRefusedAsync(Errno.OutOfRange, Client.AddLinkAsync("sixteen-letters-", "veth", Ct));
    }

    [Fact]
    public async Task Changes_are_told_in_order()
    {
        using var subscription = Subscribe();
        var address = new InterfaceAddress(Loopback, IpAddr.Parse("192.0.2.9"), 32);
        await Client.AddAddressAsync(address, Ct);
        await Client.DeleteAddressAsync(address, Ct);
        List<string> seen = [];

        await foreach (var change in subscription.ReadAsync(Ct))
        {
            switch (change)
            {
                case RouteChange.AddressSet(var set): seen.Add($"+{set.Address}/{set.PrefixLength} {set.InterfaceIndex}"); break;
                case RouteChange.AddressRemoved(var removed): seen.Add($"-{removed.Address}/{removed.PrefixLength} {removed.InterfaceIndex}"); break;
            }

            if (seen.Count == 2) break;
        }

        Assert.Equal(["+192.0.2.9/32 1", "-192.0.2.9/32 1"], seen);
    }

    private static async Task AssertRefusedAsync(int errno, Task request) =>
        Assert.Equal(Errno.Name(errno), Errno.Name((await Assert.ThrowsAsync<NetlinkException>(() => request)).Errno));
}
