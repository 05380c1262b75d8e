using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m cgroup</c>: the control group of the socket: by path (version 2) or by class (version 1). One of both.</summary>
/// <param name="Path">The path under the root, 1 to 511 bytes; null for a class.</param>
/// <param name="Class">The class of net_cls; null for a path.</param>
/// <param name="Negated">Not this one.</param>
public sealed record CgroupMatch(string? Path, uint? Class = null, bool Negated = false) : IptablesMatch
{
    private const int PathSize = 512; // XT_CGROUP_PATH_MAX

    // struct xt_cgroup_info_v2 (xt_cgroup.h): | has_path u8 | has_classid u8 | invert_path u8 | invert_classid u8 | path char[512] or classid u32 | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, CgroupMatch>("cgroup", 2, 528, Read, Write, Print);

    private static CgroupMatch? Read(ReadOnlySpan<byte> info, in XtContext context) => (info[0], info[1]) switch
    {
        (1, 0) => info.Text(4, PathSize) is { } path ? new CgroupMatch(path, null, info[2] != 0) : null,
        (0, 1) => new CgroupMatch(null, info.U32(4), info[3] != 0),
        _ => null,
    };

    private static void Write(CgroupMatch match, Span<byte> info, in XtContext context)
    {
        if (match.Path is null == match.Class is null) throw new ArgumentException("A path or a class.", nameof(match));
        info.Put(0, match.Path is not null);
        info.Put(1, match.Class is not null);
        info.Put(match.Path is null ? 3 : 2, match.Negated);
        if (match.Path is { } path) info.Put(4, PathSize, path);
        else info.Put(4, match.Class!.Value);
    }

    private static void Print(CgroupMatch match, IptablesArguments text)
    {
        text.Not(match.Negated);
        if (match.Path is { } path) text.AddQuoted("--path", path);
        else text.Add($"--cgroup {match.Class}");
    }
}
