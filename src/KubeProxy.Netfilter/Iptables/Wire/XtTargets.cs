using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Targets that are xt extensions, with the revisions that iptables 1.8 uses.</summary>
internal static class XtTargets
{
    public static NftStatement Write(IptablesTarget target, IpFamily family) => target switch
    {
        VerdictTarget verdict => new NftVerdictStatement(verdict.Verdict),
        DnatTarget dnat => Dnat(dnat),
        MasqueradeTarget masquerade => Masquerade(masquerade, family),
        MarkTarget mark => Mark(mark),
        RejectTarget => Reject(family),
        UnknownTarget unknown => unknown.Statement,
        _ => throw new ArgumentException($"{target} cannot be encoded.", nameof(target)),
    };

    public static IptablesTarget Read(NftOpaque expression, IpFamily family)
    {
        if (expression.Name != XtExtension.Target || !XtExtension.TryRead(expression, out var target)) return new UnknownTarget(expression);
        IptablesTarget? known = (target.Name, target.Revision, target.Info.Length) switch
        {
            ("DNAT", 2, XtLayout.DnatSize) => ReadDnat(target.Info, family),
            ("MASQUERADE", 0, XtLayout.Masquerade4Size) when family == IpFamily.IPv4 => ReadMasquerade4(target.Info),
            ("MASQUERADE", 0, XtLayout.Masquerade6Size) when family == IpFamily.IPv6 => ReadMasquerade6(target.Info),
            ("MARK", 2, XtLayout.MarkSize) => new MarkTarget(Number(target.Info), Number(target.Info[4..])),
            ("REJECT", 0, XtLayout.RejectSize) when Number(target.Info) == PortUnreachable(family) => new RejectTarget(),
            _ => null,
        };
        return known ?? new UnknownTarget(expression);
    }

    // struct nf_nat_range2: | flags u32 | min_addr 16 | max_addr 16 | min_proto be16 | max_proto be16 | base_proto be16 |
    private static NftOpaque Dnat(DnatTarget target)
    {
        Span<byte> info = stackalloc byte[XtLayout.DnatSize];
        info.Clear();
        MemoryMarshal.Write(info, XtLayout.RangeAddresses | XtLayout.RangePorts);
        target.To.Address.WriteBytes(info[4..]);
        target.To.Address.WriteBytes(info[20..]);
        BinaryPrimitives.WriteUInt16BigEndian(info[36..], target.To.Port);
        BinaryPrimitives.WriteUInt16BigEndian(info[38..], target.To.Port);
        return new XtExtension("DNAT", 2, info).ToExpression(XtExtension.Target);
    }

    private static DnatTarget? ReadDnat(ReadOnlySpan<byte> info, IpFamily family)
    {
        if (Number(info) != (XtLayout.RangeAddresses | XtLayout.RangePorts)) return null;
        if (!info[4..20].SequenceEqual(info[20..36]) || !info[36..38].SequenceEqual(info[38..40])) return null;
        var address = IpAddr.FromBytes(info.Slice(4, family == IpFamily.IPv4 ? 4 : 16));
        var port = BinaryPrimitives.ReadUInt16BigEndian(info[36..]);
        return address.Family == family && port != 0 ? new DnatTarget(new IpEndpoint(address, port)) : null;
    }

    // IPv4, struct nf_nat_ipv4_multi_range_compat: | rangesize u32 | flags u32 | min_ip | max_ip | min u16 | max u16 | ; IPv6, struct nf_nat_range: | flags u32 | ... |
    private static NftOpaque Masquerade(MasqueradeTarget target, IpFamily family)
    {
        Span<byte> info = stackalloc byte[family == IpFamily.IPv4 ? XtLayout.Masquerade4Size : XtLayout.Masquerade6Size];
        info.Clear();
        var flags = info;
        if (family == IpFamily.IPv4)
        {
            MemoryMarshal.Write(info, 1u);
            flags = info[4..];
        }

        MemoryMarshal.Write(flags, target.RandomFully ? XtLayout.RangeRandomFully : 0);
        return new XtExtension("MASQUERADE", 0, info).ToExpression(XtExtension.Target);
    }

    private static MasqueradeTarget? ReadMasquerade4(ReadOnlySpan<byte> info) =>
        Number(info) == 1 ? ReadMasquerade6(info[4..]) : null;

    private static MasqueradeTarget? ReadMasquerade6(ReadOnlySpan<byte> info) => Number(info) switch
    {
        0 => new MasqueradeTarget(RandomFully: false),
        XtLayout.RangeRandomFully => new MasqueradeTarget(RandomFully: true),
        _ => null,
    };

    // struct xt_mark_tginfo2: | mark u32 | mask u32 |
    private static NftOpaque Mark(MarkTarget target)
    {
        Span<byte> info = stackalloc byte[XtLayout.MarkSize];
        MemoryMarshal.Write(info, target.Value);
        MemoryMarshal.Write(info[4..], target.Mask);
        return new XtExtension("MARK", 2, info).ToExpression(XtExtension.Target);
    }

    // struct ipt_reject_info, struct ip6t_reject_info: | with u32 |
    private static NftOpaque Reject(IpFamily family)
    {
        Span<byte> info = stackalloc byte[XtLayout.RejectSize];
        info.Clear();
        MemoryMarshal.Write(info, PortUnreachable(family));
        return new XtExtension("REJECT", 0, info).ToExpression(XtExtension.Target);
    }

    private static uint PortUnreachable(IpFamily family) =>
        family == IpFamily.IPv4 ? XtLayout.RejectPortUnreachable4 : XtLayout.RejectPortUnreachable6;

    private static uint Number(ReadOnlySpan<byte> field) => MemoryMarshal.Read<uint>(field);
}
