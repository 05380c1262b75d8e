namespace KubeProxy.Netlink;

/// <summary>
/// Datagrams to and from the kernel: the one seam between protocol code and the operating system. Implemented by
/// <see cref="NetlinkSocket"/> and, for tests, by <see cref="Testing.ScriptedNetlinkTransport"/>.
/// One thread may send while another receives.
/// </summary>
public interface INetlinkTransport : IDisposable
{
    /// <summary>The address of this end, unique per protocol in the network namespace; the kernel stamps what we caused with it.</summary>
    uint PortId { get; }

    /// <summary>
    /// Sends one datagram gathered from parts. The kernel has processed it when this returns (it runs in the caller's system
    /// call), and its answers can be received, except for later parts of a dump.
    /// </summary>
    /// <exception cref="NetlinkException">The system call failed; EMSGSIZE when the datagram exceeds the send buffer.</exception>
    void Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts);

    /// <summary>Receives a datagram if one is there.</summary>
    /// <param name="buffer">Takes the datagram. 64 KiB suffice for all that the kernel sends to us.</param>
    /// <param name="length">The number of bytes received.</param>
    /// <returns>False when there is none.</returns>
    /// <exception cref="NetlinkOverrunException">Datagrams were lost since the last call.</exception>
    /// <exception cref="NetlinkException">The system call failed; EMSGSIZE when the buffer was too small.</exception>
    bool TryReceive(Span<byte> buffer, out int length);

    /// <summary>Receives several datagrams that are there.</summary>
    /// <param name="buffer">Takes the datagrams: each gets as much of it as the next, and begins where that of the one before ends.</param>
    /// <param name="lengths">Takes the number of bytes of each.</param>
    /// <returns>How many; 0 when there is none.</returns>
    /// <exception cref="NetlinkException">The system call failed; EMSGSIZE when a datagram did not fit its part.</exception>
    /// <inheritdoc cref="TryReceive" path="/exception"/>
    int TryReceiveMany(Span<byte> buffer, Span<int> lengths) => TryReceive(buffer[..(buffer.Length / lengths.Length)], out lengths[0]) ? 1 : 0;

    /// <summary>Receives a datagram, waiting for it.</summary>
    /// <returns>The number of bytes received.</returns>
    /// <exception cref="ObjectDisposedException">The transport was disposed meanwhile.</exception>
    /// <inheritdoc cref="TryReceive" path="/exception"/>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <summary>Subscribes to a multicast group.</summary>
    /// <param name="group">The number of the group, from 1; not a bit mask.</param>
    /// <exception cref="NetlinkException">The system call failed.</exception>
    void Join(uint group);

    /// <summary>Ends a subscription.</summary>
    /// <inheritdoc cref="Join"/>
    void Leave(uint group);
}
