using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Flags of <see cref="ConntrackTarget"/> (<c>XT_CT_*</c>).</summary>
[Flags]
public enum ConntrackTargetFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Not tracked.</summary>
    NoTrack = 1, // XT_CT_NOTRACK

    /// <summary>Written as <c>-j NOTRACK</c>.</summary>
    NoTrackAlias = 2, // XT_CT_NOTRACK_ALIAS

    /// <summary>The zone is for the original direction.</summary>
    ZoneOriginal = 4, // XT_CT_ZONE_DIR_ORIG

    /// <summary>The zone is for replies.</summary>
    ZoneReply = 8, // XT_CT_ZONE_DIR_REPL

    /// <summary>The zone is the packet's mark.</summary>
    ZoneMark = 16, // XT_CT_ZONE_MARK
}

/// <summary><c>-j CT</c> and <c>-j NOTRACK</c>: how the connection is tracked.</summary>
/// <param name="Flags">Flags.</param>
/// <param name="Zone">The zone.</param>
public sealed record ConntrackTarget(ConntrackTargetFlags Flags, ushort Zone = 0) : IptablesTarget
{
    private const int HelperSize = 16;
    private const int TimeoutSize = 32;
    private static readonly string[] EventNames = ["new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark"];

    /// <summary>The helper, at most 15 bytes; empty for none.</summary>
    public string Helper { get; init; } = "";

    /// <summary>The timeout policy, at most 31 bytes; empty for none.</summary>
    public string Timeout { get; init; } = "";

    /// <summary>The events that are told, a bit each (<c>enum ip_conntrack_events</c>); 0 for all.</summary>
    public uint Events { get; init; }

    /// <summary>The events of expectations that are told: 1 new; 0 for all.</summary>
    public uint ExpectationEvents { get; init; }

    /// <summary><c>-j NOTRACK</c>.</summary>
    public static ConntrackTarget NoTrack { get; } = new(ConntrackTargetFlags.NoTrack | ConntrackTargetFlags.NoTrackAlias);

    /// <summary>Whether it is written as <c>NOTRACK</c>.</summary>
    internal bool IsAlias => Flags.HasFlag(ConntrackTargetFlags.NoTrackAlias);

    // struct xt_ct_target_info_v1 (xt_CT.h): | flags u16 | zone u16 | ct_events u32 | exp_events u32 | helper char[16] | timeout char[32] | pointer |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, ConntrackTarget>("CT", 2, 72, Read, Write, Print);

    private static ConntrackTarget? Read(ReadOnlySpan<byte> info, in XtContext context) =>
        info.Text(12, HelperSize) is { } helper && info.Text(28, TimeoutSize) is { } timeout
            ? new ConntrackTarget((ConntrackTargetFlags)info.U16(0), info.U16(2)) { Events = info.U32(4), ExpectationEvents = info.U32(8), Helper = helper, Timeout = timeout } : null;

    private static void Write(ConntrackTarget target, Span<byte> info, in XtContext context)
    {
        info.Put(0, (ushort)target.Flags);
        info.Put(2, target.Zone);
        info.Put(4, target.Events);
        info.Put(8, target.ExpectationEvents);
        info.Put(12, HelperSize, target.Helper);
        info.Put(28, TimeoutSize, target.Timeout);
    }

    private static void Print(ConntrackTarget target, IptablesArguments text)
    {
        if (target.IsAlias) return;
        text.If(target.Flags.HasFlag(ConntrackTargetFlags.NoTrack), "--notrack");
        if (target.Helper.Length > 0) text.Add($"--helper {target.Helper}");
        if (target.Timeout.Length > 0) text.Add($"--timeout {target.Timeout}");
        if (target.Events != 0) text.Add($"--ctevents {IptablesArguments.Names(EventNames, target.Events)}");
        if (target.ExpectationEvents != 0) text.Add($"--expevents {IptablesArguments.Names(["new"], target.ExpectationEvents)}");
        var byMark = target.Flags.HasFlag(ConntrackTargetFlags.ZoneMark);
        if (!byMark && target.Zone == 0) return;
        var direction = (target.Flags & (ConntrackTargetFlags.ZoneOriginal | ConntrackTargetFlags.ZoneReply)) switch
        {
            ConntrackTargetFlags.ZoneOriginal => "--zone-orig",
            ConntrackTargetFlags.ZoneReply => "--zone-reply",
            _ => "--zone",
        };
        text.Add(byMark ? $"{direction} mark" : $"{direction} {target.Zone}");
    }
}
