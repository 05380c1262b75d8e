using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>How <see cref="SocketMatch"/> looks (<c>XT_SOCKET_*</c>).</summary>
[Flags]
public enum SocketMatchFlags : byte
{
    /// <summary>Any socket that is not bound to all addresses.</summary>
    None = 0,

    /// <summary><c>--transparent</c>: only transparent ones.</summary>
    Transparent = 1, // XT_SOCKET_TRANSPARENT

    /// <summary><c>--nowildcard</c>: also those that are bound to all addresses.</summary>
    NoWildcard = 2, // XT_SOCKET_NOWILDCARD

    /// <summary><c>--restore-skmark</c>: the packet gets the socket's mark.</summary>
    RestoreMark = 4, // XT_SOCKET_RESTORESKMARK
}

/// <summary><c>-m socket</c>: whether a socket of this host is there for the packet.</summary>
/// <param name="Flags">How it looks.</param>
public sealed record SocketMatch(SocketMatchFlags Flags = SocketMatchFlags.None) : IptablesMatch
{
    // struct xt_socket_mtinfo3 (xt_socket.h): | flags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, SocketMatch>(
        "socket", 3, 8,
        static (info, in _) => info[0] < 8 ? new SocketMatch((SocketMatchFlags)info[0]) : null,
        static (match, info, in _) => info[0] = (byte)match.Flags,
        static (match, text) => text.If(match.Flags.HasFlag(SocketMatchFlags.Transparent), "--transparent").If(match.Flags.HasFlag(SocketMatchFlags.NoWildcard), "--nowildcard")
            .If(match.Flags.HasFlag(SocketMatchFlags.RestoreMark), "--restore-skmark"));
}
