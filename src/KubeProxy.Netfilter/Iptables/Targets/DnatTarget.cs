using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j DNAT --to-destination</c> with one address and one port. Other forms are a <see cref="DnatRangeTarget"/>.</summary>
/// <param name="To">The new destination.</param>
public sealed record DnatTarget(IpEndpoint To) : IptablesTarget
{
    private const uint Flags = 3; // NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED

    // struct nf_nat_range2 (nf_nat.h): | flags u32 | min_addr 16 | max_addr 16 | min_proto be16 | max_proto be16 | base_proto be16 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, DnatTarget>("DNAT", 2, NatRange.Size2, Read, Write, Print) { IsExact = true };

    private static DnatTarget? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        if (info.U32(0) != Flags || !info[4..20].SequenceEqual(info[20..36]) || !info[36..38].SequenceEqual(info[38..40])) return null;
        var port = info.Be16(36);
        return port != 0 ? new DnatTarget(new IpEndpoint(info.Address(4, context.Family), port)) : null;
    }

    private static void Write(DnatTarget target, Span<byte> info, in XtContext context)
    {
        info.Put(0, Flags);
        info.Put(4, target.To.Address, context.Family);
        info.Put(20, target.To.Address, context.Family);
        info.PutBe(36, target.To.Port);
        info.PutBe(38, target.To.Port);
    }

    private static void Print(DnatTarget target, IptablesArguments text) => text.Add(
        text.Family == target.To.Address.Family ? $"--to-destination {target.To}" : $"--to-destination [{XtAddresses.Text(target.To.Address, text.Family)}]:{target.To.Port}");
}

/// <summary><c>-j DNAT</c> with ranges of addresses or ports, or without a port.</summary>
/// <param name="To">The new destination.</param>
public sealed record DnatRangeTarget(NatRange To) : IptablesTarget
{
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, DnatRangeTarget>(
        "DNAT", 2, NatRange.Size2, static (info, in context) => new DnatRangeTarget(NatRange.Read(info, context)),
        static (target, info, in context) => NatRange.Write(target.To, info, context), static (target, text) => target.To.Print("--to-destination", true, text));
}
