using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Conntrack;

public sealed class ConntrackMonitorTests
{
    private static readonly Flow Flow = FlowMessages.Udp("10.0.0.1:1000", "10.96.0.10:53");

    [Theory]
    [InlineData((byte)CtMessage.New, NlMsgFlags.Create | NlMsgFlags.Exclusive, ConntrackEventKind.FlowCreated)]
    [InlineData((byte)CtMessage.New, NlMsgFlags.None, ConntrackEventKind.FlowUpdated)]
    [InlineData((byte)CtMessage.Delete, NlMsgFlags.None, ConntrackEventKind.FlowDestroyed)]
    public void Kinds_are_told_by_message_and_flags(byte message, NlMsgFlags flags, ConntrackEventKind kind)
    {
        using var writer = new NlMsgWriter();
        FlowMessages.Put(writer, Flow, (CtMessage)message, flags);
        Assert.Equal([new ConntrackEvent(kind) { Flow = Flow }], Decode(writer, FlowFilter.All));
        Assert.Empty(Decode(writer, new FlowFilter { Protocol = Protocol.Tcp }));
    }

    [Fact]
    public void Expectations_come_and_go()
    {
        using var writer = new NlMsgWriter();
        var expectation = new Expectation(Flow.Original, Flow.Reply, Flow.Original) { Helper = "ftp" };
        ExpectationEncoder.PutCreate(writer, expectation);
        Assert.Equal([new ConntrackEvent(ConntrackEventKind.ExpectationCreated) { Expectation = expectation }], Decode(writer, FlowFilter.All));
        writer.Reset();
        ExpectationEncoder.PutDelete(writer, expectation);
        Assert.Throws<NetlinkFormatException>(() => Decode(writer, FlowFilter.All)); // as a request it lacks what an event has
        writer.Reset();
        writer.BeginMessage(NfSubsystem.Nftables, 0, NlMsgFlags.None, 2);
        Assert.Empty(Decode(writer, FlowFilter.All));
    }

    private static List<ConntrackEvent> Decode(NlMsgWriter writer, FlowFilter filter)
    {
        List<ConntrackEvent> events = [];
        foreach (var message in new NlMessages(writer.ToArray())) ConntrackMonitor.Decode(message, filter, events);
        return events;
    }
}
