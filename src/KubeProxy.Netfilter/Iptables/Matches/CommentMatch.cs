using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m comment --comment</c>: always true.</summary>
/// <param name="Text">1 to 255 bytes (<c>XT_MAX_COMMENT_LEN</c>).</param>
public sealed record CommentMatch(string Text) : IptablesMatch
{
    private const int Size = 256; // XT_MAX_COMMENT_LEN

    // struct xt_comment_info (xt_comment.h): | comment char[256] |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, CommentMatch>(
        "comment", 0, Size,
        static (info, in _) => XtText.Read(info) is { } text ? new CommentMatch(text) : null,
        static (match, info, in _) => XtText.Write(info, match.Text),
        static (match, text) => text.AddQuoted("--comment", match.Text)) { IsExact = true };
}
