using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using Tmds.Linux;
using static KubeProxy.Netlink.CallResult;
using static KubeProxy.Netlink.Interop.ManyMessages;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Datagrams that are received together, and sent on from where they lie. For one thread.</summary>
internal sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>How many datagrams there are at most.</summary>
    public const int Capacity = 32;

    private const int DatagramSize = 64 * 1024; // Longer than any. Only the pages that are used take memory.
    private const int ControlSize = 64;

    private readonly byte* _memory;
    private readonly mmsghdr* _messages;
    private readonly iovec* _vectors;
    private readonly SocketName* _names;
    private readonly byte* _control;
    private readonly byte* _data;

    public DatagramBatch()
    {
        var (messages, vectors, names) = (sizeof(mmsghdr), sizeof(iovec), sizeof(SocketName));
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Capacity * (messages + vectors + names + ControlSize + DatagramSize)), 4096);
        _messages = (mmsghdr*)_memory;
        _vectors = (iovec*)(_messages + Capacity);
        _control = (byte*)(_vectors + Capacity);
        _names = (SocketName*)(_control + (Capacity * ControlSize));
        _data = (byte*)_names + (Capacity * names);
    }

    /// <summary>Receives what is there; the number, or a negative errno.</summary>
    public int Receive(int socket)
    {
        for (var i = 0; i < Capacity; i++)
        {
            _vectors[i] = new iovec { iov_base = _data + (i * DatagramSize), iov_len = DatagramSize };
            *HeaderOf(i) = new msghdr
            {
                msg_name = _names + i, msg_namelen = SocketName.MaxLength, msg_iov = _vectors + i, msg_iovlen = 1,
                msg_control = _control + (i * ControlSize), msg_controllen = ControlSize,
            };
        }

        while (true)
        {
            var count = recvmmsg(socket, _messages, Capacity, MSG_DONTWAIT, null);
            var error = ErrorOf(count);
            if (error == 0) return count;
            if (error != SocketErrno.Interrupted) return -error;
        }
    }

    /// <summary>The length of a datagram in bytes.</summary>
    public int LengthOf(int index) => (int)_messages[index].msg_len;

    /// <summary>Who sent a datagram.</summary>
    public bool TryGetSender(int index, out IpEndpoint sender) => _names[index].TryRead(out sender);

    /// <summary>Where a datagram was sent to, when the socket was asked to tell (<c>IP_RECVORIGDSTADDR</c>).</summary>
    public bool TryGetDestination(int index, out IpEndpoint destination)
    {
        var header = HeaderOf(index);
        for (var message = CMSG_FIRSTHDR(header); message != null; message = CMSG_NXTHDR(header, message))
        {
            if (!IsDestination(message)) continue;
            var name = default(SocketName);
            var length = Math.Clamp((int)message->cmsg_len - sizeof(cmsghdr), 0, SocketName.MaxLength);
            new ReadOnlySpan<byte>(CMSG_DATA(message), length).CopyTo(MemoryMarshal.AsBytes(new Span<SocketName>(ref name)));
            return name.TryRead(out destination);
        }

        destination = default;
        return false;
    }

    /// <summary>Sends datagrams on, in their order.</summary>
    /// <param name="socket">By which socket.</param>
    /// <param name="first">The first one.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">To whom; null: to whom the socket is connected.</param>
    /// <returns>How many were sent before the first that was not, or a negative errno when the first was not.</returns>
    public int Send(int socket, int first, int count, SocketName* to)
    {
        for (var i = first; i < first + count; i++)
        {
            _vectors[i].iov_len = _messages[i].msg_len;
            var header = HeaderOf(i);
            header->msg_name = to;
            header->msg_namelen = to is null ? 0u : to->Length;
            header->msg_control = null;
            header->msg_controllen = 0;
        }

        while (true)
        {
            // The kernel writes the number of bytes sent where their length was, which is the same number.
            var sent = sendmmsg(socket, _messages + first, (uint)count, MSG_DONTWAIT | MSG_NOSIGNAL);
            var error = ErrorOf(sent);
            if (error == 0) return sent;
            if (error != SocketErrno.Interrupted) return -error;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_memory);

    // The first member of mmsghdr, where Tmds.LibC has a property, which would copy it.
    private msghdr* HeaderOf(int index) => (msghdr*)(_messages + index);

    private static bool IsDestination(cmsghdr* message) =>
        (message->cmsg_level == SOL_IP && message->cmsg_type == IP_ORIGDSTADDR)
        || (message->cmsg_level == SOL_IPV6 && message->cmsg_type == IPV6_ORIGDSTADDR);
}
