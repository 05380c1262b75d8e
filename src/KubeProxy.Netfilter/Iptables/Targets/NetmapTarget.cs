using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j NETMAP</c>: the network part of the address becomes another.</summary>
/// <param name="To">The network.</param>
public sealed record NetmapTarget(Cidr To) : IptablesTarget
{
    private const uint MapAddresses = 1; // NF_NAT_RANGE_MAP_IPS

    // struct nf_nat_ipv4_multi_range_compat: the lowest address of the network is min_ip, the highest is max_ip.
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, NetmapTarget>(
        "NETMAP", 0, NatRange.Size4,
        static (info, in context) => NatRange.Read4(info, context) is { Flags: 0, First: { } first } range ? Of(first, range.Last ?? first) : null,
        static (target, info, in context) => NatRange.Write4(RangeOf(target.To), info, context),
        Print) { Family = IpFamily.IPv4 };

    // struct nf_nat_range, likewise.
    internal static XtCodec<IptablesTarget> CodecV6 { get; } = new XtCodec<IptablesTarget, NetmapTarget>(
        "NETMAP", 0, NatRange.Size,
        static (info, in context) => info.U32(0) == MapAddresses ? Of(info.Address(4, context.Family), info.Address(20, context.Family)) : null,
        static (target, info, in context) => NatRange.Write(RangeOf(target.To), info, context),
        Print) { Family = IpFamily.IPv6 };

    private static NatRange RangeOf(Cidr block) => new() { First = block.First, Last = block.Last };

    private static NetmapTarget? Of(IpAddr first, IpAddr last)
    {
        if (first.Family != last.Family) return null;
        var differing = first.Value ^ last.Value;
        var host = (int)(128 - UInt128.LeadingZeroCount(differing));
        var block = new Cidr(first, (first.Length * 8) - host);
        return block.First == first && block.Last == last ? new NetmapTarget(block) : null;
    }

    private static void Print(NetmapTarget target, IptablesArguments text) => text.Add($"--to {XtAddresses.Text(target.To, text.Family)}");
}
