using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j CONNSECMARK</c>: copies the security mark between packet and connection.</summary>
/// <param name="Restore">To the packet, instead of from it.</param>
public sealed record ConnsecmarkTarget(bool Restore) : IptablesTarget
{
    private const byte SaveMode = 1; // CONNSECMARK_SAVE
    private const byte RestoreMode = 2; // CONNSECMARK_RESTORE

    // struct xt_connsecmark_target_info (xt_CONNSECMARK.h): | mode u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, ConnsecmarkTarget>(
        "CONNSECMARK", 0, 8,
        static (info, in _) => info[0] is SaveMode or RestoreMode ? new ConnsecmarkTarget(info[0] == RestoreMode) : null,
        static (target, info, in _) => info[0] = target.Restore ? RestoreMode : SaveMode,
        static (target, text) => text.Add(target.Restore ? "--restore" : "--save"));
}
