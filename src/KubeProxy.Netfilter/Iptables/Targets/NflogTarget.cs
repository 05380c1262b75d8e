using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j NFLOG</c>: the packet for programs that listen. iptables-nft writes it as a statement of nf_tables.</summary>
/// <param name="Group">The group that is told.</param>
/// <param name="Prefix">What it begins with, at most 127 bytes; empty for nothing.</param>
/// <param name="Size">How many bytes of the packet are sent; null for all.</param>
/// <param name="Threshold">After how many packets the program is woken; 0 for the kernel's default.</param>
public sealed record NflogTarget(ushort Group = 0, string Prefix = "", uint? Size = null, ushort Threshold = NflogTarget.DefaultThreshold) : IptablesTarget
{
    /// <summary>The threshold where none is given.</summary>
    public const ushort DefaultThreshold = 0; // XT_NFLOG_DEFAULT_THRESHOLD

    /// <summary>Of a statement; null when it says something else.</summary>
    internal static NflogTarget? Of(NftLog log) => log is { Level: null, Flags: 0, Group: { } group }
        ? new NflogTarget(group, log.Prefix, log.SnapLength, log.QueueThreshold ?? 0) is var target && target.ToStatement() == log ? target : null : null;

    internal NftLog ToStatement() => new(Prefix) { Group = Group, SnapLength = Size, QueueThreshold = Threshold == 0 ? null : Threshold };

    internal void Print(IptablesArguments text)
    {
        if (Prefix.Length > 0) text.AddQuoted("--nflog-prefix", Prefix);
        if (Group != 0) text.Add($"--nflog-group {Group}");
        if (Size is { } size) text.Add($"--nflog-size {size}");
        if (Threshold != DefaultThreshold) text.Add($"--nflog-threshold {Threshold}");
    }
}

/// <summary><c>-j TRACE</c>: the packet's way is told to those who listen. iptables-nft writes it as a statement of nf_tables.</summary>
public sealed record TraceTarget : IptablesTarget;
