namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>The targets that are known, with the revisions that iptables 1.8 sends.</summary>
internal static class XtTargets
{
    public static XtTable<IptablesTarget> Table { get; } = new(
        XtExtension.Target,
        DnatTarget.Codec, DnatRangeTarget.Codec, SnatTarget.Codec, SnatTarget.CodecV6, RedirectTarget.Codec, RedirectTarget.CodecV6, NetmapTarget.Codec, NetmapTarget.CodecV6,
        MasqueradeTarget.Codec, MasqueradeTarget.CodecV6, MarkTarget.Codec, ConnmarkTarget.Codec, RejectTarget.Codec, RejectTarget.CodecV6, LogTarget.Codec,
        TosTarget.Codec, DscpTarget.Codec, TcpMssTarget.Codec, ConntrackTarget.Codec, TproxyTarget.Codec, SetTarget.Codec, QueueTarget.Codec, TtlTarget.Codec,
        TtlTarget.CodecV6, TeeTarget.Codec, ClassifyTarget.Codec, ChecksumTarget.Codec, EcnTarget.Codec, AuditTarget.Codec, TcpOptionStripTarget.Codec,
        SynproxyTarget.Codec, PrefixTranslationTarget.SourceCodec, PrefixTranslationTarget.DestinationCodec, IdleTimerTarget.Codec,
        ConnsecmarkTarget.Codec);
}
