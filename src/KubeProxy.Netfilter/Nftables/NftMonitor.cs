using System.Runtime.CompilerServices;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>Something happened to the ruleset.</summary>
/// <param name="Kind">What.</param>
/// <param name="Generation">The generation that it made; null for <see cref="NftChangeKind.Lost"/>.</param>
public sealed record NftChange(NftChangeKind Kind, uint? Generation)
{
    /// <summary>The tables touched by a <see cref="NftChangeKind.Foreign"/> change.</summary>
    public IReadOnlyCollection<NftTableKey> Tables { get; init; } = [];

    /// <summary>Those of <see cref="Tables"/> that came, went, or got other flags themselves.</summary>
    public IReadOnlyCollection<NftTableKey> ChangedTables { get; init; } = [];

    /// <summary>The chains touched by a <see cref="NftChangeKind.Foreign"/> change: they or rules of theirs came or went.</summary>
    public IReadOnlyCollection<NftChainChange> Chains { get; init; } = [];

    /// <summary>The process that made the change, as the kernel numbers it in the monitor's pid namespace; null when unknown.</summary>
    public int? ProcessId { get; init; }

    /// <summary>The name of that process (its <c>comm</c>, at most 15 bytes); null when unknown.</summary>
    public string? ProcessName { get; init; }
}

/// <summary>What happened to a chain or in it.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="IsRemoval">It, or a rule of it, was deleted; otherwise made or changed.</param>
public readonly record struct NftChainChange(NftChainKey Chain, bool IsRemoval);

/// <summary>The kind of a <see cref="NftChange"/>.</summary>
public enum NftChangeKind
{
    /// <summary>The client itself committed a transaction.</summary>
    Own,

    /// <summary>Somebody else committed a transaction.</summary>
    Foreign,

    /// <summary>Notifications were lost, or not listened to: anything may have changed. Look again.</summary>
    Lost,
}

/// <summary>
/// Watches the ruleset, on a socket of its own. Changes by one's own client are told apart by its port id; the kernel drops
/// their notifications before they are queued, except for the one that tells the generation.
/// <para>
/// While anybody listens, the kernel builds a notification for each object of every commit. <see cref="Pause"/> before a large
/// commit of one's own, and <see cref="Resume"/> after it.
/// </para>
/// </summary>
public sealed class NftMonitor : IDisposable
{
    private const uint Group = 7; // NFNLGRP_NFTABLES

    private readonly INetlinkTransport _transport;
    private readonly NetlinkSubscription _subscription;
    private readonly NftChangeCollector _collector;

    /// <summary>Takes over the transport, and disposes it with itself.</summary>
    /// <param name="transport">A transport for <see cref="NetlinkProtocol.Netfilter"/>.</param>
    /// <param name="ownPortId">The port id of one's own client, see <see cref="NftablesClient.PortId"/>; null for none.</param>
    public NftMonitor(INetlinkTransport transport, uint? ownPortId)
    {
        _transport = transport;
        _subscription = new NetlinkSubscription(transport, Group);
        _collector = new NftChangeCollector(ownPortId);
    }

    /// <summary>Opens a socket in the network namespace of the calling thread, and listens.</summary>
    /// <param name="ownPortId">The port id of one's own client, see <see cref="NftablesClient.PortId"/>; null for none.</param>
    /// <exception cref="NetlinkException">The kernel has no nf_tables, or CAP_NET_ADMIN is missing.</exception>
    public static NftMonitor Open(uint? ownPortId)
    {
        var filter = ownPortId is { } port
            ? new NetlinkNotificationFilter(port, NfNetlink.MessageType(NfSubsystem.Nftables, (byte)NftMessage.NewGen)) : null;
        var socket = NetlinkSocket.Open(NetlinkProtocol.Netfilter, new NetlinkSocketOptions { Filter = filter });
        try
        {
            return new NftMonitor(socket, ownPortId);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Stops listening. What is queued already is still delivered.</summary>
    /// <exception cref="NetlinkException">The system call failed.</exception>
    public void Pause() => _transport.Leave(Group);

    /// <summary>
    /// Listens again. What happened since <see cref="Pause"/> is not told: compare the generation with the one that one's own
    /// commit made.
    /// </summary>
    /// <exception cref="NetlinkException">The system call failed.</exception>
    public void Resume() => _transport.Join(Group);

    /// <summary>The changes since the monitor was opened, as they come. Ends when the monitor is disposed. For one reader.</summary>
    /// <exception cref="NetlinkException">Receiving failed in another way than by overflow.</exception>
    public async IAsyncEnumerable<NftChange> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var changes = new List<NftChange>();
        await foreach (var notification in _subscription.ReadAsync(cancellationToken))
        {
            changes.Clear();
            if (notification.IsOverflow) changes.Add(_collector.Overflow());
            else _collector.Read(notification.Messages, changes);
            foreach (var change in changes) yield return change;
        }
    }

    /// <summary>Stops listening and closes the socket.</summary>
    public void Dispose() => _subscription.Dispose();
}
