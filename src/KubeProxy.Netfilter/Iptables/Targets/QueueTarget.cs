using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j NFQUEUE</c>: a program decides.</summary>
/// <param name="First">The first queue.</param>
/// <param name="Count">How many queues there are, 1 or more.</param>
/// <param name="Bypass">Packets go on when no program listens.</param>
/// <param name="Fanout">Spread by processor.</param>
public sealed record QueueTarget(ushort First = 0, ushort Count = 1, bool Bypass = false, bool Fanout = false) : IptablesTarget
{
    // struct xt_NFQ_info_v3 (xt_NFQUEUE.h): | queuenum u16 | queues_total u16 | flags u16 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, QueueTarget>(
        "NFQUEUE", 3, 8,
        static (info, in _) => new QueueTarget(info.U16(0), info.U16(2), (info[4] & 1) != 0, (info[4] & 2) != 0),
        static (target, info, in _) =>
        {
            info.Put(0, target.First);
            info.Put(2, target.Count);
            info[4] = (byte)((target.Bypass ? 1 : 0) | (target.Fanout ? 2 : 0));
        },
        static (target, text) => text.Add(target.Count > 1 ? $"--queue-balance {target.First}:{target.First + target.Count - 1}" : $"--queue-num {target.First}")
            .If(target.Bypass, "--queue-bypass").If(target.Fanout, "--queue-cpu-fanout"));
}
