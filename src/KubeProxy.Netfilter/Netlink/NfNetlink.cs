using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace KubeProxy.Netlink;

/// <summary>The subsystems of NETLINK_NETFILTER (linux/netfilter/nfnetlink.h).</summary>
public enum NfSubsystem : byte
{
    /// <summary>conntrack.</summary>
    Conntrack = 1, // NFNL_SUBSYS_CTNETLINK

    /// <summary>conntrack: flows that helpers announced.</summary>
    ConntrackExpectations = 2, // NFNL_SUBSYS_CTNETLINK_EXP

    /// <summary>ipset.</summary>
    IpSet = 6, // NFNL_SUBSYS_IPSET

    /// <summary>Accounting objects.</summary>
    Accounting = 7, // NFNL_SUBSYS_ACCT

    /// <summary>nf_tables.</summary>
    Nftables = 10, // NFNL_SUBSYS_NFTABLES

    /// <summary>Which xt matches and targets there are.</summary>
    NftCompat = 11, // NFNL_SUBSYS_NFT_COMPAT
}

/// <summary><c>struct nfgenmsg</c>: the fixed part of every message of NETLINK_NETFILTER.</summary>
/// <param name="Family">The address family (NFPROTO_*).</param>
/// <param name="Version">NFNETLINK_V0, zero.</param>
/// <param name="ResourceId">Depends on the message: a subsystem for batches, the generation's low bits in nf_tables answers.</param>
public readonly record struct NfGenMessage(byte Family, byte Version, ushort ResourceId)
{
    /// <summary>The length in bytes.</summary>
    public const int Size = 4;

    // | family u8 | version u8 | resource id, big endian u16 |
    /// <summary>Reads it from a message.</summary>
    /// <exception cref="NetlinkFormatException">The message is too short.</exception>
    public static NfGenMessage Read(NlMessage message)
    {
        var body = message.Fixed(Size);
        return new NfGenMessage(body[0], body[1], BinaryPrimitives.ReadUInt16BigEndian(body[2..]));
    }
}

/// <summary>Messages of NETLINK_NETFILTER.</summary>
public static class NfNetlink
{
    /// <summary>The generation that stands for any: no ruleset has it.</summary>
    internal const uint AnyGeneration = 0;

    private const ushort BatchBegin = 0x10; // NFNL_MSG_BATCH_BEGIN
    private const ushort BatchEnd = 0x11; // NFNL_MSG_BATCH_END

    private enum BatchAttribute : ushort
    {
        Generation = 1, // NFNL_BATCH_GENID
    }

    /// <summary>The type of a message: the subsystem and its own number.</summary>
    public static ushort MessageType(NfSubsystem subsystem, byte message) => (ushort)(((int)subsystem << 8) | message);

    /// <summary>Begins a message of a subsystem with its nfgenmsg.</summary>
    /// <returns>The index of the message.</returns>
    public static int BeginMessage(
        this NlMsgWriter writer, NfSubsystem subsystem, byte message, NlMsgFlags flags, byte family, ushort resourceId = 0)
    {
        var index = writer.BeginMessage(MessageType(subsystem, message), flags);
        writer.PutNfGenMessage(family, resourceId);
        return index;
    }

    /// <summary>Begins a batch: a transaction of the subsystem.</summary>
    /// <param name="writer">The writer.</param>
    /// <param name="subsystem">The subsystem.</param>
    /// <param name="generation">The generation that the ruleset must have (else ERESTART); null: any.</param>
    public static void PutBatchBegin(this NlMsgWriter writer, NfSubsystem subsystem, uint? generation = null)
    {
        writer.BeginMessage(BatchBegin, NlMsgFlags.Request);
        writer.PutNfGenMessage(0, (ushort)subsystem);
        if (generation is { } expected) writer.PutU32BigEndian(BatchAttribute.Generation, expected);
    }

    /// <summary>Expects another generation than the batch was begun with.</summary>
    /// <param name="writer">Begun by <see cref="PutBatchBegin"/> with a generation, which may be <see cref="AnyGeneration"/>.</param>
    /// <param name="generation">The generation that the ruleset must have (else ERESTART).</param>
    internal static void SetBatchGeneration(this NlMsgWriter writer, uint generation)
    {
        const int Offset = NlMsgHeader.Size + NfGenMessage.Size + 4; // the value of the first attribute of the first message
        BinaryPrimitives.WriteUInt32BigEndian(MemoryMarshal.AsMemory(writer.Segments()[0]).Span[Offset..], generation);
    }

    /// <summary>Ends a batch, which commits it.</summary>
    public static void PutBatchEnd(this NlMsgWriter writer, NfSubsystem subsystem)
    {
        writer.BeginMessage(BatchEnd, NlMsgFlags.Request);
        writer.PutNfGenMessage(0, (ushort)subsystem);
    }

    private static void PutNfGenMessage(this NlMsgWriter writer, byte family, ushort resourceId)
    {
        var body = writer.ReserveBody(NfGenMessage.Size);
        body[0] = family;
        BinaryPrimitives.WriteUInt16BigEndian(body[2..], resourceId);
    }
}
