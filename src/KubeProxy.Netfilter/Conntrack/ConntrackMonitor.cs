using System.Runtime.CompilerServices;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>
/// Watches the conntrack table, on a socket of its own. While anybody listens, the kernel builds a message for each event of the network namespace.
/// Flows that were there before the first listener of the network namespace have no events when <c>net.netfilter.nf_conntrack_events</c> is 2 (the
/// default since Linux 5.19), none have when it is 0.
/// </summary>
public sealed class ConntrackMonitor : IDisposable
{
    private readonly NetlinkSubscription _subscription;
    private readonly FlowFilter _filter;

    /// <summary>Takes over the transport, listens, and disposes it with itself.</summary>
    /// <param name="transport">A transport for <see cref="NetlinkProtocol.Netfilter"/>.</param>
    /// <param name="kinds">Which events the kernel is to send.</param>
    /// <param name="filter">Which flows to tell of, compared here: the kernel sends all. Expectations are not filtered. Null: all.</param>
    /// <exception cref="NetlinkException">Listening is not permitted.</exception>
    public ConntrackMonitor(INetlinkTransport transport, ConntrackEventKind kinds, FlowFilter? filter = null)
    {
        _filter = filter ?? FlowFilter.All;
        _subscription = new NetlinkSubscription(transport, Groups(kinds));
    }

    /// <summary>Opens a socket in the network namespace of the calling thread, and listens.</summary>
    /// <param name="kinds">Which events the kernel is to send.</param>
    /// <param name="filter">Which flows to tell of; null: all.</param>
    /// <param name="options">The size of the receive buffer decides how many events may wait; an event accounts for about 1 KiB.</param>
    /// <exception cref="NetlinkException">The kernel has no ctnetlink, or CAP_NET_ADMIN is missing.</exception>
    public static ConntrackMonitor Open(
        ConntrackEventKind kinds = ConntrackEventKind.Flows, FlowFilter? filter = null, NetlinkSocketOptions? options = null)
    {
        var socket = NetlinkSocket.Open(NetlinkProtocol.Netfilter, options);
        try
        {
            return new ConntrackMonitor(socket, kinds, filter);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The events since the monitor was opened, as they come. Ends when the monitor is disposed. For one reader.</summary>
    /// <exception cref="NetlinkFormatException">The kernel sent something malformed.</exception>
    /// <exception cref="NetlinkException">Receiving failed in another way than by overflow.</exception>
    public async IAsyncEnumerable<ConntrackEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var events = new List<ConntrackEvent>();
        await foreach (var notification in _subscription.ReadAsync(cancellationToken))
        {
            events.Clear();
            if (notification.IsOverflow) events.Add(new ConntrackEvent(ConntrackEventKind.Lost));
            foreach (var message in notification.Messages) Decode(message, _filter, events);
            foreach (var happened in events) yield return happened;
        }
    }

    /// <summary>Stops listening and closes the socket.</summary>
    public void Dispose() => _subscription.Dispose();

    internal static void Decode(NlMessage message, FlowFilter filter, List<ConntrackEvent> events)
    {
        // A notification of a new object bears the flags that a request to make it would.
        var isNew = (message.Header.Flags & (NlMsgFlags.Create | NlMsgFlags.Exclusive)) != 0;
        switch ((NfSubsystem)(message.Header.Type >> 8), message.Header.Type & 0xFF)
        {
            case (NfSubsystem.Conntrack, (int)CtMessage.New):
                AddFlow(message, isNew ? ConntrackEventKind.FlowCreated : ConntrackEventKind.FlowUpdated, filter, events);
                break;
            case (NfSubsystem.Conntrack, (int)CtMessage.Delete):
                AddFlow(message, ConntrackEventKind.FlowDestroyed, filter, events);
                break;
            case (NfSubsystem.ConntrackExpectations, (int)CtExpectationMessage.New):
                events.Add(new ConntrackEvent(ConntrackEventKind.ExpectationCreated) { Expectation = ExpectationDecoder.Decode(message) });
                break;
            case (NfSubsystem.ConntrackExpectations, (int)CtExpectationMessage.Delete):
                events.Add(new ConntrackEvent(ConntrackEventKind.ExpectationDestroyed) { Expectation = ExpectationDecoder.Decode(message) });
                break;
        }
    }

    private static void AddFlow(NlMessage message, ConntrackEventKind kind, FlowFilter filter, List<ConntrackEvent> events)
    {
        var flow = FlowDecoder.Decode(message);
        if (filter.Matches(flow)) events.Add(new ConntrackEvent(kind) { Flow = flow });
    }

    private static uint[] Groups(ConntrackEventKind kinds)
    {
        ReadOnlySpan<(ConntrackEventKind Kind, uint Group)> all =
        [
            (ConntrackEventKind.FlowCreated, 1), // NFNLGRP_CONNTRACK_NEW
            (ConntrackEventKind.FlowUpdated, 2), // NFNLGRP_CONNTRACK_UPDATE
            (ConntrackEventKind.FlowDestroyed, 3), // NFNLGRP_CONNTRACK_DESTROY
            (ConntrackEventKind.ExpectationCreated, 4), // NFNLGRP_CONNTRACK_EXP_NEW
            (ConntrackEventKind.ExpectationDestroyed, 6), // NFNLGRP_CONNTRACK_EXP_DESTROY
        ];
        List<uint> groups = [];
        foreach (var (kind, group) in all)
        {
            if ((kinds & kind) != 0) groups.Add(group);
        }

        return [.. groups];
    }
}
