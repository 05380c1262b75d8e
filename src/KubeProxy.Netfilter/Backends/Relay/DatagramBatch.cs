using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink.Interop;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Datagrams that are received together, and sent on from where they lie. For one thread.</summary>
internal sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>How many datagrams there are at most.</summary>
    public const int Capacity = 32;

    private const int DatagramSize = 64 * 1024; // Longer than any. Only the pages that are used take memory.
    private const int ControlSize = 64;

    private readonly byte* _memory;
    private readonly LibC.MultiMessageHeader* _messages;
    private readonly LibC.IoVector* _vectors;
    private readonly SocketName* _names;
    private readonly byte* _control;
    private readonly byte* _data;

    public DatagramBatch()
    {
        var (messages, vectors, names) = (sizeof(LibC.MultiMessageHeader), sizeof(LibC.IoVector), sizeof(SocketName));
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Capacity * (messages + vectors + names + ControlSize + DatagramSize)), 4096);
        _messages = (LibC.MultiMessageHeader*)_memory;
        _vectors = (LibC.IoVector*)(_messages + Capacity);
        _control = (byte*)(_vectors + Capacity);
        _names = (SocketName*)(_control + (Capacity * ControlSize));
        _data = (byte*)_names + (Capacity * names);
    }

    /// <summary>Receives what is there; the number, or a negative errno.</summary>
    public int Receive(int socket)
    {
        for (var i = 0; i < Capacity; i++)
        {
            _vectors[i] = new LibC.IoVector { Base = _data + (i * DatagramSize), Length = DatagramSize };
            _messages[i] = new LibC.MultiMessageHeader
            {
                Header = new LibC.MessageHeader
                {
                    Name = _names + i, NameLength = SocketName.MaxLength, Vectors = _vectors + i, VectorCount = 1,
                    Control = _control + (i * ControlSize), ControlLength = ControlSize,
                },
            };
        }

        while (true)
        {
            var count = LibC.RecvMMsg(socket, _messages, Capacity, LibC.MSG_DONTWAIT, null);
            if (count >= 0) return count;
            if (Marshal.GetLastPInvokeError() is not SocketErrno.Interrupted and var errno) return -errno;
        }
    }

    /// <summary>The length of a datagram in bytes.</summary>
    public int LengthOf(int index) => (int)_messages[index].Length;

    /// <summary>Who sent a datagram.</summary>
    public bool TryGetSender(int index, out IpEndpoint sender) => _names[index].TryRead(out sender);

    /// <summary>Where a datagram was sent to, when the socket was asked to tell (<c>IP_RECVORIGDSTADDR</c>).</summary>
    public bool TryGetDestination(int index, out IpEndpoint destination)
    {
        ref var header = ref _messages[index].Header;
        var control = new ReadOnlySpan<byte>(header.Control, (int)Math.Min(header.ControlLength, ControlSize));
        while (control.Length >= sizeof(LibC.ControlHeader))
        {
            var message = MemoryMarshal.Read<LibC.ControlHeader>(control);
            if (message.Length < (nuint)sizeof(LibC.ControlHeader) || message.Length > (nuint)control.Length) break;
            var content = control[sizeof(LibC.ControlHeader)..(int)message.Length];
            if ((message.Level, message.Type) is (LibC.SOL_IP, LibC.IP_RECVORIGDSTADDR) or (LibC.SOL_IPV6, LibC.IPV6_RECVORIGDSTADDR))
            {
                var name = default(SocketName);
                content[..Math.Min(content.Length, SocketName.MaxLength)].CopyTo(MemoryMarshal.AsBytes(new Span<SocketName>(ref name)));
                return name.TryRead(out destination);
            }

            var next = ((int)message.Length + 7) & ~7;
            if (next >= control.Length) break;
            control = control[next..];
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
            _vectors[i].Length = _messages[i].Length;
            ref var header = ref _messages[i].Header;
            header.Name = to;
            header.NameLength = to is null ? 0 : to->Length;
            header.Control = null;
            header.ControlLength = 0;
        }

        while (true)
        {
            // The kernel writes the number of bytes sent where their length was, which is the same number.
            var sent = LibC.SendMMsg(socket, _messages + first, (uint)count, LibC.MSG_DONTWAIT | LibC.MSG_NOSIGNAL);
            if (sent >= 0) return sent;
            if (Marshal.GetLastPInvokeError() is not SocketErrno.Interrupted and var errno) return -errno;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
