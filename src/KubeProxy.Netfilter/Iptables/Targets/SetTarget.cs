using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j SET</c>: puts the packet's addresses into ipsets, takes them out, or takes marks from there. Null does nothing.</summary>
/// <param name="Add">Into this set.</param>
/// <param name="Delete">Out of this set.</param>
/// <param name="Map">From this set.</param>
public sealed record SetTarget(SetReference? Add = null, SetReference? Delete = null, SetReference? Map = null) : IptablesTarget
{
    private const uint ExistFlag = 1; // IPSET_FLAG_EXIST
    private const uint MapMark = 1 << 8; // IPSET_FLAG_MAP_SKBMARK
    private const uint MapPriority = 1 << 9; // IPSET_FLAG_MAP_SKBPRIO
    private const uint MapQueue = 1 << 10; // IPSET_FLAG_MAP_SKBQUEUE

    /// <summary>Flags (<c>IPSET_FLAG_*</c>): 1 <c>--exist</c>, 0x100 <c>--map-mark</c>, 0x200 <c>--map-prio</c>, 0x400 <c>--map-queue</c>.</summary>
    public uint Flags { get; init; }

    /// <summary>For how many seconds it is put in; null for what the set has.</summary>
    public uint? Timeout { get; init; }

    // struct xt_set_info_target_v3 (xt_set.h): | add_set 4 | del_set 4 | map_set 4 | flags u32 | timeout u32 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, SetTarget>(
        "SET", 3, 24,
        static (info, in _) => new SetTarget(SetReference.Read(info, 0), SetReference.Read(info, 4), SetReference.Read(info, 8))
        {
            Flags = info.U32(12), Timeout = info.U32(16) == uint.MaxValue ? null : info.U32(16),
        },
        static (target, info, in _) =>
        {
            SetReference.Write(target.Add, info, 0);
            SetReference.Write(target.Delete, info, 4);
            SetReference.Write(target.Map, info, 8);
            info.Put(12, target.Flags);
            info.Put(16, target.Timeout ?? uint.MaxValue);
        },
        Print);

    private static void Print(SetTarget target, IptablesArguments text)
    {
        if (target.Add is { } add) text.Add($"--add-set {add}");
        text.If((target.Flags & ExistFlag) != 0, "--exist");
        if (target.Timeout is { } timeout) text.Add($"--timeout {timeout}");
        if (target.Delete is { } delete) text.Add($"--del-set {delete}");
        if (target.Map is { } map) text.Add($"--map-set {map}");
        text.If((target.Flags & MapMark) != 0, "--map-mark").If((target.Flags & MapPriority) != 0, "--map-prio").If((target.Flags & MapQueue) != 0, "--map-queue");
    }
}
