using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace KubeProxy.Netlink;

/// <summary>
/// A received attribute. The readers are strict: a value of another length is an error, so that nothing is misread.
/// </summary>
public readonly ref struct NlAttribute
{
    internal NlAttribute(ushort rawType, ReadOnlySpan<byte> payload)
    {
        RawType = rawType;
        Payload = payload;
    }

    /// <summary>The type as it came, with the flags NLA_F_NESTED (0x8000) and NLA_F_NET_BYTEORDER (0x4000).</summary>
    public ushort RawType { get; }

    /// <summary>The type without flags.</summary>
    public ushort Type => (ushort)(RawType & 0x3FFF);

    /// <summary>The value.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The type as a member of the enum of this level, which may be one that it does not have.</summary>
    public TAttribute As<TAttribute>() where TAttribute : unmanaged, Enum => Unsafe.BitCast<ushort, TAttribute>(Type);

    /// <summary>The attributes in it.</summary>
    public NlAttributes Nested() => new(Payload);

    /// <summary>One byte.</summary>
    /// <exception cref="NetlinkFormatException">The value has another length.</exception>
    public byte U8() => Exactly(1)[0];

    /// <summary>Two bytes in host order.</summary>
    /// <inheritdoc cref="U8" path="/exception"/>
    public ushort U16() => MemoryMarshal.Read<ushort>(Exactly(2));

    /// <summary>Two bytes in network order.</summary>
    /// <inheritdoc cref="U8" path="/exception"/>
    public ushort U16BigEndian() => BinaryPrimitives.ReadUInt16BigEndian(Exactly(2));

    /// <summary>Four bytes in host order.</summary>
    /// <inheritdoc cref="U8" path="/exception"/>
    public uint U32() => MemoryMarshal.Read<uint>(Exactly(4));

    /// <summary>Four bytes in network order.</summary>
    /// <inheritdoc cref="U8" path="/exception"/>
    public uint U32BigEndian() => BinaryPrimitives.ReadUInt32BigEndian(Exactly(4));

    /// <summary>Eight bytes in host order.</summary>
    /// <inheritdoc cref="U8" path="/exception"/>
    public ulong U64() => MemoryMarshal.Read<ulong>(Exactly(8));

    /// <summary>Eight bytes in network order.</summary>
    /// <inheritdoc cref="U8" path="/exception"/>
    public ulong U64BigEndian() => BinaryPrimitives.ReadUInt64BigEndian(Exactly(8));

    /// <summary>Text in UTF-8 up to the first zero, or the end. Bytes that are not UTF-8 become U+FFFD.</summary>
    public string Text()
    {
        var end = Payload.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? Payload : Payload[..end]);
    }

    /// <summary>The value, which must have this many bytes.</summary>
    /// <exception cref="NetlinkFormatException">The value has another length.</exception>
    public ReadOnlySpan<byte> Exactly(int length) => Payload.Length == length
        ? Payload
        : throw new NetlinkFormatException($"Attribute {Type} has {Payload.Length} bytes instead of {length}.");
}
