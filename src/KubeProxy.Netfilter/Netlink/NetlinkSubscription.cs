using System.Runtime.CompilerServices;

namespace KubeProxy.Netlink;

/// <summary>What a <see cref="NetlinkSubscription"/> has to tell.</summary>
/// <param name="Datagram">The messages, valid until the next is asked for; empty when <paramref name="IsOverflow"/>.</param>
/// <param name="IsOverflow">Notifications were lost: whatever is known of the objects may be out of date, look again.</param>
public readonly record struct NetlinkNotification(ReadOnlyMemory<byte> Datagram, bool IsOverflow)
{
    /// <summary>The messages.</summary>
    public NlMessages Messages => new(Datagram.Span);
}

/// <summary>Multicast notifications. To be read by one reader at a time.</summary>
public sealed class NetlinkSubscription : IDisposable
{
    private readonly INetlinkTransport _transport;

    /// <summary>Takes over the transport, subscribes, and disposes it with itself.</summary>
    /// <param name="transport">The transport.</param>
    /// <param name="groups">The numbers of the groups.</param>
    /// <exception cref="NetlinkException">A group does not exist, or subscribing is not permitted.</exception>
    public NetlinkSubscription(INetlinkTransport transport, params ReadOnlySpan<uint> groups)
    {
        _transport = transport;
        foreach (var group in groups) transport.Join(group);
    }

    /// <summary>Opens a socket in the network namespace of the calling thread, and subscribes.</summary>
    /// <inheritdoc cref="NetlinkSocket.Open" path="/exception"/>
    public static NetlinkSubscription Open(NetlinkProtocol protocol, NetlinkSocketOptions? options, params ReadOnlySpan<uint> groups)
    {
        var socket = NetlinkSocket.Open(protocol, options);
        try
        {
            return new NetlinkSubscription(socket, groups);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The port id of the transport.</summary>
    public uint PortId => _transport.PortId;

    /// <summary>
    /// The notifications since the subscription was made, as they come. Ends when the subscription is disposed.
    /// </summary>
    /// <exception cref="NetlinkException">Receiving failed in another way than by overflow.</exception>
    public async IAsyncEnumerable<NetlinkNotification> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            NetlinkNotification next;
            try
            {
                var length = await _transport.ReceiveAsync(buffer, cancellationToken);
                next = new NetlinkNotification(buffer.AsMemory(0, length), IsOverflow: false);
            }
            catch (NetlinkOverrunException)
            {
                Drain(buffer);
                next = new NetlinkNotification(default, IsOverflow: true);
            }
            catch (ObjectDisposedException)
            {
                yield break;
            }

            yield return next;
        }
    }

    /// <summary>
    /// Drops what is still queued. It is older than the loss: applied to what is read after it, it would undo newer changes.
    /// (Once congested, the kernel queues nothing more until the queue was emptied.)
    /// </summary>
    private void Drain(Span<byte> buffer)
    {
        while (true)
        {
            try
            {
                if (!_transport.TryReceive(buffer, out _)) return;
            }
            catch (NetlinkOverrunException)
            {
                // Already known.
            }
            catch (ObjectDisposedException)
            {
                return; // The next receive says so too.
            }
        }
    }

    /// <summary>Ends the subscription.</summary>
    public void Dispose() => _transport.Dispose();
}
