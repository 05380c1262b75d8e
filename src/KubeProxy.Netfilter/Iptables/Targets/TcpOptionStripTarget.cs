using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j TCPOPTSTRIP</c>: overwrites options of the TCP header with padding.</summary>
/// <param name="Options">Their numbers, in ascending order.</param>
public sealed record TcpOptionStripTarget(ImmutableArray<byte> Options) : IptablesTarget
{
    // struct xt_tcpoptstrip_target_info (xt_TCPOPTSTRIP.h): | strip_bmap u32[8] |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, TcpOptionStripTarget>("TCPOPTSTRIP", 0, 32, Read, Write, Print);

    /// <inheritdoc/>
    public bool Equals(TcpOptionStripTarget? other) => other is not null && Options.AsSpan().SequenceEqual(other.Options.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Options.Aggregate(0, HashCode.Combine);

    private static TcpOptionStripTarget Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var options = ImmutableArray.CreateBuilder<byte>();
        for (var option = 0; option < 256; option++)
            if ((info.U32(option / 32 * 4) & (1u << (option % 32))) != 0) options.Add((byte)option);
        return new TcpOptionStripTarget(options.ToImmutable());
    }

    private static void Write(TcpOptionStripTarget target, Span<byte> info, in XtContext context)
    {
        foreach (var option in target.Options) info.Put(option / 32 * 4, ((ReadOnlySpan<byte>)info).U32(option / 32 * 4) | (1u << (option % 32)));
    }

    private static void Print(TcpOptionStripTarget target, IptablesArguments text)
    {
        if (!target.Options.IsEmpty) text.Add($"--strip-options {string.Join(',', target.Options)}");
    }
}
