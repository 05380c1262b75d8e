using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j SNPT</c> and <c>-j DNPT</c>: another prefix of the same length, without tracking (RFC 6296).</summary>
/// <param name="From">The prefix that is replaced.</param>
/// <param name="To">By this.</param>
public abstract record PrefixTranslationTarget(Cidr From, Cidr To) : IptablesTarget
{
    // struct ip6t_npt_tginfo (ip6t_NPT.h): | src_pfx 16 | dst_pfx 16 | src_pfx_len u8 | dst_pfx_len u8 | adjustment u16 |
    internal static XtCodec<IptablesTarget> SourceCodec { get; } = new XtCodec<IptablesTarget, SourcePrefixTarget>(
        "SNPT", 0, 40, static (info, in _) => Read(info) is var (from, to) ? new SourcePrefixTarget(from, to) : null, Write, Print) { Family = IpFamily.IPv6 };

    internal static XtCodec<IptablesTarget> DestinationCodec { get; } = new XtCodec<IptablesTarget, DestinationPrefixTarget>(
        "DNPT", 0, 40, static (info, in _) => Read(info) is var (from, to) ? new DestinationPrefixTarget(from, to) : null, Write, Print) { Family = IpFamily.IPv6 };

    private static (Cidr From, Cidr To)? Read(ReadOnlySpan<byte> info) => info[32] > 128 || info[33] > 128 ? null
        : (XtAddresses.Block(info[..16], info[32]), XtAddresses.Block(info[16..32], info[33]));

    private static void Write(PrefixTranslationTarget target, Span<byte> info, in XtContext context)
    {
        info.Put(0, target.From.First, IpFamily.IPv6);
        info.Put(16, target.To.First, IpFamily.IPv6);
        (info[32], info[33]) = ((byte)XtAddresses.PrefixLength(target.From, IpFamily.IPv6), (byte)XtAddresses.PrefixLength(target.To, IpFamily.IPv6));
    }

    private static void Print(PrefixTranslationTarget target, IptablesArguments text) =>
        text.Add($"--src-pfx {XtAddresses.Text(target.From, IpFamily.IPv6)} --dst-pfx {XtAddresses.Text(target.To, IpFamily.IPv6)}");
}

/// <summary><c>-j SNPT</c>: of the source.</summary>
/// <param name="From">The prefix that is replaced.</param>
/// <param name="To">By this.</param>
public sealed record SourcePrefixTarget(Cidr From, Cidr To) : PrefixTranslationTarget(From, To);

/// <summary><c>-j DNPT</c>: of the destination.</summary>
/// <param name="From">The prefix that is replaced.</param>
/// <param name="To">By this.</param>
public sealed record DestinationPrefixTarget(Cidr From, Cidr To) : PrefixTranslationTarget(From, To);
