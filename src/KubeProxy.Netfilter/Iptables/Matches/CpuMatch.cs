using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m cpu</c>: the processor that handles the packet.</summary>
/// <param name="Cpu">Its number.</param>
/// <param name="Negated">Not this one.</param>
public sealed record CpuMatch(uint Cpu, bool Negated = false) : IptablesMatch
{
    // struct xt_cpu_info (xt_cpu.h): | cpu u32 | invert u32 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, CpuMatch>(
        "cpu", 0, 8,
        static (info, in _) => new CpuMatch(info.U32(0), info.U32(4) != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.Cpu);
            info.Put(4, match.Negated ? 1u : 0);
        },
        static (match, text) => text.Not(match.Negated).Add($"--cpu {match.Cpu}"));
}
