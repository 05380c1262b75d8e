using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NetlinkSubscriptionTests
{
    [Fact]
    public async Task Notifications_come_in_order_and_a_loss_discards_what_is_older_than_it()
    {
        using var transport = new ScriptedNetlinkTransport(_ => []);
        using var subscription = new NetlinkSubscription(transport, 1, 9);
        Assert.Equal([1u, 9u], transport.Groups.Order());
        transport.Push(ScriptedReply.Message(0x10, NlMsgFlags.None, 0));
        transport.PushOverrun();
        transport.Push(ScriptedReply.Message(0x11, NlMsgFlags.None, 0)); // still queued when the loss shows
        List<string> seen = [];

        await foreach (var notification in subscription.ReadAsync(TestContext.Current.CancellationToken))
        {
            seen.Add(notification.IsOverflow ? "lost" : ScriptedReply.Headers(notification.Datagram.ToArray())[0].Type.ToString("x2"));
            if (seen.Count == 2) transport.Push(ScriptedReply.Message(0x12, NlMsgFlags.None, 0));
            if (seen.Count == 3) subscription.Dispose();
        }

        Assert.Equal(["10", "lost", "12"], seen);
    }
}
