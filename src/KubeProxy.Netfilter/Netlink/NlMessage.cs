using System.Runtime.InteropServices;

namespace KubeProxy.Netlink;

/// <summary>A received message. The bytes are valid only while the receiver of it runs.</summary>
public readonly ref struct NlMessage
{
    internal NlMessage(NlMsgHeader header, ReadOnlySpan<byte> bytes)
    {
        Header = header;
        Bytes = bytes;
    }

    /// <summary>The header.</summary>
    public NlMsgHeader Header { get; }

    /// <summary>The whole message with its header, without padding.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Body => Bytes[NlMsgHeader.Size..];

    /// <summary>The fixed part of the body, such as <c>struct rtmsg</c>.</summary>
    /// <param name="length">Its length in bytes.</param>
    /// <exception cref="NetlinkFormatException">The body is shorter than that.</exception>
    public ReadOnlySpan<byte> Fixed(int length) => Body.Length >= length
        ? Body[..length]
        : throw new NetlinkFormatException($"A message of type 0x{Header.Type:x4} has a body of {Body.Length} bytes instead of at least {length}.");

    /// <summary>The attributes after the fixed part.</summary>
    /// <param name="fixedLength">The length of the fixed part in bytes.</param>
    /// <exception cref="NetlinkFormatException">The body is shorter than that.</exception>
    public NlAttributes Attributes(int fixedLength)
    {
        var aligned = NlMsgHeader.Align(fixedLength);
        Fixed(fixedLength);
        return new NlAttributes(aligned >= Body.Length ? [] : Body[aligned..]);
    }
}

/// <summary>Is given each message of an answer.</summary>
public delegate void NlMessageVisitor(NlMessage message);

/// <summary>Is given each message of the answers to several requests.</summary>
/// <param name="request">Which request, as returned by <see cref="NlMsgWriter.BeginMessage"/>.</param>
/// <param name="message">The message.</param>
public delegate void NlAnswerVisitor(int request, NlMessage message);

/// <summary>The messages of a datagram, for <c>foreach</c>.</summary>
public readonly ref struct NlMessages(ReadOnlySpan<byte> datagram)
{
    private readonly ReadOnlySpan<byte> _datagram = datagram;

    /// <summary>Begins.</summary>
    public Enumerator GetEnumerator() => new(_datagram);

    /// <summary>Goes through the messages.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> datagram) => _rest = datagram;

        /// <summary>The message found.</summary>
        public NlMessage Current { get; private set; }

        /// <summary>Finds the next one.</summary>
        /// <exception cref="NetlinkFormatException">The length of a message does not fit the datagram.</exception>
        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;
            if (_rest.Length < NlMsgHeader.Size) Throw(_rest.Length, NlMsgHeader.Size);
            var length = MemoryMarshal.Read<uint>(_rest);
            if (length < NlMsgHeader.Size || length > (uint)_rest.Length) Throw(_rest.Length, length);
            Current = new NlMessage(NlMsgHeader.Read(_rest), _rest[..(int)length]);
            _rest = _rest[Math.Min(NlMsgHeader.Align((int)length), _rest.Length)..];
            return true;
        }

        private static void Throw(int available, uint length) =>
            throw new NetlinkFormatException($"A netlink message of {length} bytes in {available} bytes of a datagram.");
    }
}
