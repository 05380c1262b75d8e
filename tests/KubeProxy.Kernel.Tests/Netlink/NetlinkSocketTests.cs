using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Netlink;

public sealed class NetlinkSocketTests
{
    private const ushort GetLink = 18; // RTM_GETLINK

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dump_sees_the_links_of_the_namespace_it_was_opened_in()
    {
        using var ns = NetworkNamespace.Create();
        ns.Exec("ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1");
        using var channel = ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Route));
        List<string> names = [];
        using var request = new NlMsgWriter();
        request.BeginMessage(GetLink, NlMsgFlags.None);
        request.ReserveBody(16);

        await channel.DumpAsync("list links", request, message =>
        {
            Assert.True(message.Attributes(16).TryFind(LinkAttribute.Name, out var name));
            names.Add(name.Text());
        }, cancellationToken: Cancelled);

        Assert.Equal(["lo", "d1", "d0"], names);
        Assert.Equal(new NetlinkCounters(1, 1, 32, 0), channel.Counters);
    }

    private enum LinkAttribute : ushort
    {
        Name = 3, // IFLA_IFNAME
    }
}
