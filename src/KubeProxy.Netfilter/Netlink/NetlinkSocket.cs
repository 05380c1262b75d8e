using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using KubeProxy.Netlink.Interop;
using Tmds.Linux;
using static KubeProxy.Netlink.CallResult;
using static KubeProxy.Netlink.Interop.ManyMessages;
using static KubeProxy.Netlink.Interop.NetlinkOption;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netlink;

/// <summary>
/// An AF_NETLINK socket. It belongs to the network namespace that the calling thread is in when it is opened.
/// </summary>
public sealed class NetlinkSocket : INetlinkTransport
{
    // Netlink never makes a sender wait, and answers are queued before sendmsg returns: the calls are made directly, and the
    // BCL's socket (and its epoll thread) serves only to wait for readability. Peeking does not take a datagram away.
    private readonly SafeSocketHandle _handle;
    private readonly Socket _socket;
    private readonly byte[] _peek = new byte[1];
    private readonly INetlinkTrace? _trace;
    private int _sendBuffer;

    private NetlinkSocket(SafeSocketHandle handle, NetlinkSocketOptions options)
    {
        _handle = handle;
        PortId = Bind(handle);
        TrySetOption(SOL_NETLINK, NETLINK_EXT_ACK, 1);
        TrySetOption(SOL_NETLINK, NETLINK_CAP_ACK, 1);
        if (options.StrictDumps) TrySetOption(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
        if (options.Filter is { } filter) Attach(filter);
        SetBuffer(SO_RCVBUFFORCE, SO_RCVBUF, options.ReceiveBuffer);
        RaiseSendBuffer(options.SendBuffer);
        _trace = options.Trace ?? NetlinkTrace.FromEnvironment();
        _socket = new Socket(handle);
    }

    /// <inheritdoc/>
    public uint PortId { get; }

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel has no such protocol (EPROTONOSUPPORT), or another system call failed; see <see cref="NetlinkPreflight"/>.
    /// </exception>
    public static NetlinkSocket Open(NetlinkProtocol protocol, NetlinkSocketOptions? options = null)
    {
        var descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, (int)protocol);
        var error = ErrorOf(descriptor);
        if (error != 0) throw Failure($"open a netlink socket for {protocol}", error);
        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        try
        {
            return new NetlinkSocket(handle, options ?? new NetlinkSocketOptions());
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public unsafe void Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        var vectors = stackalloc iovec[Math.Min(parts.Length, 1024)];
        if (parts.Length > 1024) throw new NetlinkException("send a datagram of more than 1024 parts", Errno.MessageTooLong);
        var pins = ArrayPool<MemoryHandle>.Shared.Rent(parts.Length);
        var pinned = 0;
        try
        {
            long total = 0;
            for (; pinned < parts.Length; pinned++)
            {
                pins[pinned] = parts[pinned].Pin();
                vectors[pinned] = new iovec { iov_base = pins[pinned].Pointer, iov_len = parts[pinned].Length };
                total += parts[pinned].Length;
            }

            if (total > _sendBuffer) RaiseSendBuffer(total);
            SendVectors(vectors, parts.Length, total);
        }
        finally
        {
            for (var i = 0; i < pinned; i++) pins[i].Dispose();
            ArrayPool<MemoryHandle>.Shared.Return(pins, clearArray: true);
        }

        _trace?.Sent(PortId, parts);
    }

    /// <inheritdoc/>
    public unsafe bool TryReceive(Span<byte> buffer, out int length)
    {
        fixed (byte* start = buffer)
        {
            var sender = default(SockAddrNl);
            var vector = new iovec { iov_base = start, iov_len = buffer.Length };
            using var held = new HeldDescriptor(_handle);
            while (true)
            {
                var message = new msghdr { msg_name = &sender, msg_namelen = sizeof(SockAddrNl), msg_iov = &vector, msg_iovlen = 1 };
                var received = (long)recvmsg(held.Number, &message, MSG_DONTWAIT);
                var error = ErrorOf(received);
                if (error != 0)
                {
                    length = 0;
                    if (error == Errno.Interrupted) continue;
                    if (error == Errno.TryAgain) return false;
                    throw Failure("receive from the kernel", error);
                }

                // Other processes can write to our port, if privileged; only the kernel (port 0) is listened to.
                if (sender.PortId != 0) continue;
                if ((message.msg_flags & MSG_TRUNC) != 0)
                    throw new NetlinkException($"receive a datagram into {buffer.Length} bytes", Errno.MessageTooLong);
                length = (int)received;
                _trace?.Received(PortId, buffer[..length]);
                return true;
            }
        }
    }

    /// <inheritdoc/>
    public unsafe int TryReceiveMany(Span<byte> buffer, Span<int> lengths)
    {
        const int Most = 64;
        var count = Math.Min(lengths.Length, Most);
        var size = buffer.Length / lengths.Length;
        var messages = stackalloc mmsghdr[count];
        var vectors = stackalloc iovec[count];
        var senders = stackalloc SockAddrNl[count];
        fixed (byte* start = buffer)
        {
            using var held = new HeldDescriptor(_handle);
            while (true)
            {
                for (var i = 0; i < count; i++)
                {
                    vectors[i] = new iovec { iov_base = start + (i * size), iov_len = size };
                    messages[i] = new mmsghdr { msg_hdr = new msghdr { msg_name = senders + i, msg_namelen = sizeof(SockAddrNl), msg_iov = vectors + i, msg_iovlen = 1 } };
                }

                var received = recvmmsg(held.Number, messages, (uint)count, MSG_DONTWAIT, null);
                var error = ErrorOf(received);
                if (error == Errno.Interrupted) continue;
                if (error == Errno.TryAgain) return 0;
                if (error != 0) throw Failure("receive from the kernel", error);
                for (var i = 0; i < received; i++)
                {
                    if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0)
                        throw new NetlinkException($"receive a datagram into {size} bytes", Errno.MessageTooLong);
                    // Other processes can write to our port, if privileged; only the kernel (port 0) is listened to.
                    lengths[i] = senders[i].PortId == 0 ? (int)messages[i].msg_len : 0;
                    if (lengths[i] > 0) _trace?.Received(PortId, buffer.Slice(i * size, lengths[i]));
                }

                return received;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryReceive(buffer.Span, out var length)) return length;
            try
            {
                await _socket.ReceiveAsync(_peek, SocketFlags.Peek, cancellationToken);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.OperationAborted)
            {
                throw new ObjectDisposedException(nameof(NetlinkSocket), error);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
            {
                throw new NetlinkOverrunException("wait for the kernel", error);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.MessageSize)
            {
                // A datagram longer than the one byte peeked at: there is something to receive.
            }
        }
    }

    /// <inheritdoc/>
    public void Join(uint group) => SetMembership(NETLINK_ADD_MEMBERSHIP, group, "join");

    /// <inheritdoc/>
    public void Leave(uint group) => SetMembership(NETLINK_DROP_MEMBERSHIP, group, "leave");

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _handle.Dispose();
        (_trace as IDisposable)?.Dispose();
    }

    private unsafe void SendVectors(iovec* vectors, int count, long total)
    {
        var kernel = new SockAddrNl { Family = (ushort)AF_NETLINK };
        var message = new msghdr { msg_name = &kernel, msg_namelen = sizeof(SockAddrNl), msg_iov = vectors, msg_iovlen = count };
        using var held = new HeldDescriptor(_handle);
        while (true)
        {
            var error = ErrorOf(sendmsg(held.Number, &message, MSG_NOSIGNAL));
            if (error == 0) return;
            if (error == Errno.Interrupted) continue;
            throw new NetlinkException($"send {total} bytes to the kernel (send buffer {_sendBuffer} bytes)", error);
        }
    }

    private static unsafe uint Bind(SafeSocketHandle handle)
    {
        var address = new SockAddrNl { Family = (ushort)AF_NETLINK };
        socklen_t length = sizeof(SockAddrNl);
        using var held = new HeldDescriptor(handle);
        var error = ErrorOf(bind(held.Number, (sockaddr*)&address, length));
        if (error != 0) throw Failure("bind a netlink socket", error);
        error = ErrorOf(getsockname(held.Number, (sockaddr*)&address, &length));
        if (error != 0) throw Failure("read the address of a netlink socket", error);
        return address.PortId;
    }

    private unsafe void SetMembership(int option, uint group, string verb)
    {
        var error = SetOption(SOL_NETLINK, option, &group, sizeof(uint));
        if (error != 0) throw Failure($"{verb} netlink multicast group {group}", error);
    }

    private unsafe bool TrySetOption(int level, int name, int value) => SetOption(level, name, &value, sizeof(int)) == 0;

    private unsafe int SetOption(int level, int name, void* value, int length)
    {
        using var held = new HeldDescriptor(_handle);
        return ErrorOf(setsockopt(held.Number, level, name, value, length));
    }

    /// <summary>Beyond the system-wide limit if privileged; otherwise as far as allowed.</summary>
    private void SetBuffer(int forced, int limited, int bytes)
    {
        if (!TrySetOption(SOL_SOCKET, forced, bytes)) TrySetOption(SOL_SOCKET, limited, bytes);
    }

    private unsafe void RaiseSendBuffer(long total)
    {
        // The kernel takes 32 bytes of the buffer for itself, and doubles what is asked for.
        SetBuffer(SO_SNDBUFFORCE, SO_SNDBUF, (int)Math.Min(total + 4096, int.MaxValue / 2));
        int actual = 0;
        socklen_t length = sizeof(int);
        using var held = new HeldDescriptor(_handle);
        if (getsockopt(held.Number, SOL_SOCKET, SO_SNDBUF, &actual, &length) == 0) _sendBuffer = actual - 32;
    }

    // The program sees the datagram from its first message's header on. Loads convert from network order, so the constants
    // are those that the host's order gives when read that way.
    private unsafe void Attach(NetlinkNotificationFilter filter)
    {
        const ushort LoadWord = 0x20, LoadHalf = 0x28, JumpIfEqual = 0x15, Return = 0x06;
        var pid = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(filter.IgnoredPortId) : filter.IgnoredPortId;
        var type = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(filter.KeptMessageType) : filter.KeptMessageType;
        var code = stackalloc SockFilter[]
        {
            new() { Code = LoadWord, K = 12 }, // nlmsg_pid
            new() { Code = JumpIfEqual, JumpTrue = 0, JumpFalse = 2, K = pid },
            new() { Code = LoadHalf, K = 4 }, // nlmsg_type
            new() { Code = JumpIfEqual, JumpTrue = 0, JumpFalse = 1, K = type },
            new() { Code = Return, K = uint.MaxValue }, // keep
            new() { Code = Return, K = 0 }, // drop
        };
        var program = new SockFilterProgram { Length = 6, Filter = code };
        var error = SetOption(SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(SockFilterProgram));
        if (error != 0) throw Failure("attach a filter to a netlink socket", error);
    }

    private static NetlinkException Failure(string operation, int errno) => errno == Errno.NoBufferSpace
        ? new NetlinkOverrunException(operation)
        : new NetlinkException(operation, errno);
}
