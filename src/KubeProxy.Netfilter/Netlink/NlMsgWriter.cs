using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace KubeProxy.Netlink;

/// <summary>
/// Writes netlink messages one after the other into pooled memory, without an allocation per message or attribute.
/// A message is contiguous; messages are spread over segments that are sent as one datagram. Sequence numbers are
/// assigned by the <see cref="NetlinkChannel"/> that sends them. Attribute ids are enums over <see cref="ushort"/>.
/// Not thread-safe.
/// </summary>
public sealed class NlMsgWriter : IDisposable
{
    /// <summary>The most that an attribute can hold, in bytes with its 4 byte header: its length is a u16.</summary>
    public const int MaxAttributeLength = ushort.MaxValue;

    private const int FirstSegmentSize = 4096;
    private const int LastSegmentSize = 256 * 1024;
    private const ushort NestedFlag = 0x8000; // NLA_F_NESTED

    private readonly List<ArraySegment<byte>> _full = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstSegmentSize);
    private int _position;
    private int _messageStart;
    private int _openNests;
    private long _fullLength;

    /// <summary>How many messages have been begun.</summary>
    public int MessageCount { get; private set; }

    /// <summary>Bytes written so far, in all messages.</summary>
    public long Length => _fullLength + _position;

    /// <summary>Bytes written so far in the current message, with its header.</summary>
    public int MessageLength => _position - _messageStart;

    /// <summary>Begins a message, and ends the one before it.</summary>
    /// <returns>The index of the message, from 0: what errors of a batch refer to.</returns>
    /// <exception cref="InvalidOperationException">A nest of the message before is still open.</exception>
    public int BeginMessage(ushort type, NlMsgFlags flags)
    {
        Complete();
        _messageStart = _position;
        var header = Reserve(NlMsgHeader.Size);
        header.Clear();
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], (ushort)flags);
        return MessageCount++;
    }

    /// <summary>Writes the fixed part of a message, padded to 4 bytes.</summary>
    public void PutBody(ReadOnlySpan<byte> body) => body.CopyTo(ReserveBody(body.Length));

    /// <summary>Makes room for the fixed part of a message, zeroed and padded to 4 bytes, to be filled in place at once.</summary>
    public Span<byte> ReserveBody(int length)
    {
        var span = Reserve(NlMsgHeader.Align(length));
        span.Clear();
        return span[..length];
    }

    /// <summary>Begins an attribute that holds attributes; disposing the result ends it.</summary>
    public NlNest BeginNested<TAttribute>(TAttribute attribute) where TAttribute : unmanaged, Enum =>
        BeginNested(Id(attribute));

    /// <inheritdoc cref="BeginNested{TAttribute}"/>
    public NlNest BeginNested(ushort attribute)
    {
        var start = MessageLength;
        var header = Reserve(4);
        MemoryMarshal.Write(header[2..], (ushort)(attribute | NestedFlag));
        _openNests++;
        return new NlNest(this, start, attribute);
    }

    /// <summary>An attribute without a value, whose presence is its meaning.</summary>
    public void PutFlag<TAttribute>(TAttribute attribute) where TAttribute : unmanaged, Enum => ReserveAttribute(Id(attribute), 0);

    /// <summary>One byte.</summary>
    public void PutU8<TAttribute>(TAttribute attribute, byte value) where TAttribute : unmanaged, Enum =>
        ReserveAttribute(Id(attribute), 1)[0] = value;

    /// <summary>Two bytes in host order.</summary>
    public void PutU16<TAttribute>(TAttribute attribute, ushort value) where TAttribute : unmanaged, Enum =>
        MemoryMarshal.Write(ReserveAttribute(Id(attribute), 2), value);

    /// <summary>Two bytes in network order.</summary>
    public void PutU16BigEndian<TAttribute>(TAttribute attribute, ushort value) where TAttribute : unmanaged, Enum =>
        BinaryPrimitives.WriteUInt16BigEndian(ReserveAttribute(Id(attribute), 2), value);

    /// <summary>Four bytes in host order.</summary>
    public void PutU32<TAttribute>(TAttribute attribute, uint value) where TAttribute : unmanaged, Enum =>
        MemoryMarshal.Write(ReserveAttribute(Id(attribute), 4), value);

    /// <summary>Four bytes in network order.</summary>
    public void PutU32BigEndian<TAttribute>(TAttribute attribute, uint value) where TAttribute : unmanaged, Enum =>
        BinaryPrimitives.WriteUInt32BigEndian(ReserveAttribute(Id(attribute), 4), value);

    /// <summary>Eight bytes in host order.</summary>
    public void PutU64<TAttribute>(TAttribute attribute, ulong value) where TAttribute : unmanaged, Enum =>
        MemoryMarshal.Write(ReserveAttribute(Id(attribute), 8), value);

    /// <summary>Eight bytes in network order.</summary>
    public void PutU64BigEndian<TAttribute>(TAttribute attribute, ulong value) where TAttribute : unmanaged, Enum =>
        BinaryPrimitives.WriteUInt64BigEndian(ReserveAttribute(Id(attribute), 8), value);

    /// <summary>Text in UTF-8 with a zero after it.</summary>
    /// <exception cref="NetlinkFormatException">The text holds a zero character, or is too long.</exception>
    public void PutString<TAttribute>(TAttribute attribute, ReadOnlySpan<char> value) where TAttribute : unmanaged, Enum
    {
        if (value.Contains('\0')) throw new NetlinkFormatException($"Attribute {attribute}: a string cannot hold a zero character.");
        var length = Encoding.UTF8.GetByteCount(value);
        var payload = ReserveAttribute(Id(attribute), length + 1);
        Encoding.UTF8.GetBytes(value, payload);
        payload[length] = 0;
    }

    /// <summary>Bytes as they are.</summary>
    public void PutBytes<TAttribute>(TAttribute attribute, ReadOnlySpan<byte> value) where TAttribute : unmanaged, Enum =>
        value.CopyTo(ReserveAttribute(Id(attribute), value.Length));

    /// <summary>Makes room for the value of an attribute, to be filled in place at once. Its content is not zeroed.</summary>
    public Span<byte> ReserveBytes<TAttribute>(TAttribute attribute, int length) where TAttribute : unmanaged, Enum =>
        ReserveAttribute(Id(attribute), length);

    /// <summary>Forgets all messages and keeps some of the memory.</summary>
    public void Reset()
    {
        foreach (var segment in _full) ArrayPool<byte>.Shared.Return(segment.Array!);
        _full.Clear();
        (_position, _messageStart, _openNests, MessageCount, _fullLength) = (0, 0, 0, 0, 0);
    }

    /// <summary>All messages in one array: for tests and logs.</summary>
    public byte[] ToArray()
    {
        var segments = Segments();
        var result = new byte[Length];
        var at = 0;
        foreach (var segment in segments)
        {
            segment.Span.CopyTo(result.AsSpan(at));
            at += segment.Length;
        }

        return result;
    }

    /// <summary>Gives the memory back; nothing may be called any more.</summary>
    public void Dispose()
    {
        if (_buffer.Length == 0) return;
        Reset();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <summary>The finished messages, in order; no message crosses a segment's end. Valid until the next change.</summary>
    internal ReadOnlyMemory<byte>[] Segments()
    {
        Complete();
        var segments = new ReadOnlyMemory<byte>[_full.Count + (_position > 0 ? 1 : 0)];
        for (var i = 0; i < _full.Count; i++) segments[i] = _full[i];
        if (_position > 0) segments[^1] = _buffer.AsMemory(0, _position);
        return segments;
    }

    internal void EndNested(int start, ushort attribute)
    {
        var length = MessageLength - start;
        _openNests--;
        if (length > MaxAttributeLength) ThrowTooLong(attribute, length);
        MemoryMarshal.Write(_buffer.AsSpan(_messageStart + start), (ushort)length);
    }

    /// <summary>Fills in the length of the current message.</summary>
    private void Complete()
    {
        if (_openNests != 0) throw new InvalidOperationException("A nested attribute was not ended.");
        if (MessageLength >= NlMsgHeader.Size) MemoryMarshal.Write(_buffer.AsSpan(_messageStart), (uint)MessageLength);
    }

    // | length u16 (header and value) | type u16 | value | padding to 4 bytes |
    private Span<byte> ReserveAttribute(ushort attribute, int length)
    {
        var total = length + 4;
        if (total > MaxAttributeLength) ThrowTooLong(attribute, total);
        var span = Reserve(NlMsgHeader.Align(total));
        MemoryMarshal.Write(span, (ushort)total);
        MemoryMarshal.Write(span[2..], attribute);
        span[total..].Clear();
        return span.Slice(4, length);
    }

    private Span<byte> Reserve(int length)
    {
        if (length > _buffer.Length - _position) Grow(length);
        var span = _buffer.AsSpan(_position, length);
        _position += length;
        return span;
    }

    /// <summary>Moves the unfinished message to a new segment, which has room for it and what comes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int length)
    {
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        var message = _buffer.AsSpan(_messageStart, MessageLength);
        var size = Math.Max(Math.Min(_buffer.Length * 2, LastSegmentSize), (message.Length + length) * 2);
        var next = ArrayPool<byte>.Shared.Rent(size);
        message.CopyTo(next);
        if (_messageStart == 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        else
        {
            _full.Add(new ArraySegment<byte>(_buffer, 0, _messageStart));
            _fullLength += _messageStart;
        }

        (_buffer, _position, _messageStart) = (next, message.Length, 0);
    }

    private static ushort Id<TAttribute>(TAttribute attribute) where TAttribute : unmanaged, Enum =>
        Unsafe.BitCast<TAttribute, ushort>(attribute);

    private static void ThrowTooLong(ushort attribute, int length) => throw new NetlinkFormatException(
        $"Attribute {attribute} is {length} bytes long; {MaxAttributeLength} is the most that its length can express.");
}
