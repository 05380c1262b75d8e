using System.Runtime.InteropServices;

namespace KubeProxy.Netlink;

/// <summary><c>struct nlmsghdr</c> (linux/netlink.h).</summary>
/// <param name="Length">The length of the message in bytes with the header, without padding.</param>
/// <param name="Type">The type; below 0x10 are control messages.</param>
/// <param name="Flags">The flags.</param>
/// <param name="Sequence">The number of the request; in answers, that of the request answered.</param>
/// <param name="PortId">The port id of the socket that caused the message, 0 for none.</param>
public readonly record struct NlMsgHeader(uint Length, ushort Type, NlMsgFlags Flags, uint Sequence, uint PortId)
{
    /// <summary>The length of a header in bytes.</summary>
    public const int Size = 16;

    /// <summary>NLMSG_NOOP: ignore it.</summary>
    public const ushort Noop = 1;

    /// <summary>NLMSG_ERROR: an errno, or 0 for an acknowledgement.</summary>
    public const ushort Error = 2;

    /// <summary>NLMSG_DONE: the end of a multipart answer.</summary>
    public const ushort Done = 3;

    /// <summary>NLMSG_OVERRUN: data was lost.</summary>
    public const ushort Overrun = 4;

    /// <summary>NLMSG_MIN_TYPE: the first type that belongs to a protocol.</summary>
    public const ushort FirstProtocolType = 0x10;

    /// <summary>Whether the message is about the conversation, not of the protocol.</summary>
    public bool IsControl => Type < FirstProtocolType;

    // 0      4     6      8    12     16
    // | len  | type| flags| seq | pid |   all in host byte order
    internal static NlMsgHeader Read(ReadOnlySpan<byte> bytes) => new(
        ReadU32(bytes),
        ReadU16(bytes[4..]),
        (NlMsgFlags)ReadU16(bytes[6..]),
        ReadU32(bytes[8..]),
        ReadU32(bytes[12..]));

    internal static int Align(int length) => (length + 3) & ~3;

    private static uint ReadU32(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<uint>(bytes);

    private static ushort ReadU16(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<ushort>(bytes);
}
