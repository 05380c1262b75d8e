using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j IDLETIMER</c>: a timer that tells when no packet has come for a time.</summary>
/// <param name="Timeout">The time in seconds.</param>
/// <param name="Label">The timer, 1 to 27 bytes.</param>
/// <param name="Alarm">Wakes the machine.</param>
public sealed record IdleTimerTarget(uint Timeout, string Label, bool Alarm = false) : IptablesTarget
{
    private const int LabelSize = 28; // MAX_IDLETIMER_LABEL_SIZE

    // struct idletimer_tg_info_v1 (xt_IDLETIMER.h): | timeout u32 | label char[28] | send_nl_msg u8 | timer_type u8 | pointer |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, IdleTimerTarget>(
        "IDLETIMER", 1, 48,
        static (info, in _) => info.Text(4, LabelSize) is { } label ? new IdleTimerTarget(info.U32(0), label, info[33] != 0) : null,
        static (target, info, in _) =>
        {
            info.Put(0, target.Timeout);
            info.Put(4, LabelSize, target.Label);
            info.Put(33, target.Alarm);
        },
        static (target, text) => text.Add($"--timeout {target.Timeout} --label {target.Label}").If(target.Alarm, "--alarm"));
}
