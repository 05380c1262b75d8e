using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A range of user or group numbers.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest.</param>
/// <param name="Negated">Outside of it.</param>
public sealed record IdRange(uint First, uint Last, bool Negated = false);

/// <summary><c>-m owner</c>: who made the packet's socket. Null is any.</summary>
/// <param name="User">The user (<c>--uid-owner</c>).</param>
/// <param name="Group">The group (<c>--gid-owner</c>).</param>
public sealed record OwnerMatch(IdRange? User = null, IdRange? Group = null) : IptablesMatch
{
    private const byte HasUser = 1; // XT_OWNER_UID
    private const byte HasGroup = 2; // XT_OWNER_GID
    private const byte HasSocket = 4; // XT_OWNER_SOCKET
    private const byte HasSupplementary = 8; // XT_OWNER_SUPPL_GROUPS

    /// <summary>Whether there is a socket (<c>--socket-exists</c>).</summary>
    public bool? SocketExists { get; init; }

    /// <summary>Other groups of the process count too (<c>--suppl-groups</c>).</summary>
    public bool SupplementaryGroups { get; init; }

    // struct xt_owner_match_info (xt_owner.h): | uid_min, uid_max u32 | gid_min, gid_max u32 | match u8 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, OwnerMatch>("owner", 1, 24, Read, Write, Print);

    private static OwnerMatch Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (flags, inverted) = (info[16], info[17]);
        return new OwnerMatch(
            (flags & HasUser) == 0 ? null : new IdRange(info.U32(0), info.U32(4), (inverted & HasUser) != 0),
            (flags & HasGroup) == 0 ? null : new IdRange(info.U32(8), info.U32(12), (inverted & HasGroup) != 0))
        {
            SocketExists = (flags & HasSocket) == 0 ? null : (inverted & HasSocket) == 0, SupplementaryGroups = (flags & HasSupplementary) != 0,
        };
    }

    private static void Write(OwnerMatch match, Span<byte> info, in XtContext context)
    {
        if (match.User is { } user)
        {
            info.Put(0, user.First);
            info.Put(4, user.Last);
            info[16] |= HasUser;
            if (user.Negated) info[17] |= HasUser;
        }

        if (match.Group is { } group)
        {
            info.Put(8, group.First);
            info.Put(12, group.Last);
            info[16] |= HasGroup;
            if (group.Negated) info[17] |= HasGroup;
        }

        if (match.SocketExists is { } exists)
        {
            info[16] |= HasSocket;
            if (!exists) info[17] |= HasSocket;
        }

        if (match.SupplementaryGroups) info[16] |= HasSupplementary;
    }

    private static void Print(OwnerMatch match, IptablesArguments text)
    {
        if (match.SocketExists is { } exists) text.Not(!exists).Add("--socket-exists");
        if (match.User is { } user) text.AddRange("--uid-owner", user.Negated, user.First, user.Last, '-');
        if (match.Group is { } group) text.AddRange("--gid-owner", group.Negated, group.First, group.Last, '-');
        text.If(match.SupplementaryGroups, "--suppl-groups");
    }
}
