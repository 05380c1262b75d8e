using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What <see cref="ConnmarkTarget"/> does.</summary>
public enum ConnmarkAction : byte
{
    /// <summary><c>--set-xmark</c>: the connection's mark becomes <c>(ctmark &amp; ~ConnectionMask) ^ Value</c>.</summary>
    Set = 0, // XT_CONNMARK_SET

    /// <summary><c>--save-mark</c>: the packet's mark is put into the connection's.</summary>
    Save = 1, // XT_CONNMARK_SAVE

    /// <summary><c>--restore-mark</c>: the connection's mark is put into the packet's.</summary>
    Restore = 2, // XT_CONNMARK_RESTORE
}

/// <summary><c>-j CONNMARK</c>: sets the mark of the connection, or copies it from or to the packet.</summary>
/// <param name="Action">What it does.</param>
/// <param name="Value">With set: the value.</param>
/// <param name="ConnectionMask">Which bits of the connection's mark.</param>
/// <param name="PacketMask">With save and restore: which bits of the packet's mark.</param>
public sealed record ConnmarkTarget(ConnmarkAction Action, uint Value, uint ConnectionMask, uint PacketMask = 0) : IptablesTarget
{
    /// <summary>By how many bits it is shifted.</summary>
    public byte Shift { get; init; }

    /// <summary>To the right instead of to the left.</summary>
    public bool ShiftRight { get; init; }

    // struct xt_connmark_tginfo2 (xt_connmark.h): | ctmark u32 | ctmask u32 | nfmask u32 | shift_dir u8 | shift_bits u8 | mode u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, ConnmarkTarget>("CONNMARK", 2, 16, Read, Write, Print);

    private static ConnmarkTarget? Read(ReadOnlySpan<byte> info, in XtContext context) => info[14] > 2 ? null
        : new ConnmarkTarget((ConnmarkAction)info[14], info.U32(0), info.U32(4), info.U32(8)) { Shift = info[13], ShiftRight = info[12] != 0 };

    private static void Write(ConnmarkTarget target, Span<byte> info, in XtContext context)
    {
        info.Put(0, target.Value);
        info.Put(4, target.ConnectionMask);
        info.Put(8, target.PacketMask);
        info.Put(12, target.ShiftRight);
        (info[13], info[14]) = (target.Shift, (byte)target.Action);
    }

    private static void Print(ConnmarkTarget target, IptablesArguments text)
    {
        text.Add(target.Action == ConnmarkAction.Set ? $"--set-xmark 0x{target.Value:x}/0x{target.ConnectionMask:x}"
            : $"{(target.Action == ConnmarkAction.Save ? "--save-mark" : "--restore-mark")} --nfmask 0x{target.PacketMask:x} --ctmask 0x{target.ConnectionMask:x}");
        if (target.Shift != 0) text.Add($"{(target.ShiftRight ? "--right-shift-mark" : "--left-shift-mark")} {target.Shift}");
    }
}
