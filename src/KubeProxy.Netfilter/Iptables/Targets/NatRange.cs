using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>How addresses and ports are chosen (<c>NF_NAT_RANGE_*</c> in <c>linux/netfilter/nf_nat.h</c>).</summary>
[Flags]
public enum NatFlags : uint
{
    /// <summary>The kernel's own way.</summary>
    None = 0,

    /// <summary><c>--random</c>: ports by a hash with a secret.</summary>
    Random = 4, // NF_NAT_RANGE_PROTO_RANDOM

    /// <summary><c>--persistent</c>: the same address for each client.</summary>
    Persistent = 8, // NF_NAT_RANGE_PERSISTENT

    /// <summary><c>--random-fully</c>: ports by chance.</summary>
    RandomFully = 16, // NF_NAT_RANGE_PROTO_RANDOM_FULLY
}

/// <summary>To what addresses and ports are translated. Null is left as it is.</summary>
public sealed record NatRange
{
    private const uint HasAddresses = 1; // NF_NAT_RANGE_MAP_IPS
    private const uint HasPorts = 2; // NF_NAT_RANGE_PROTO_SPECIFIED
    private const uint HasBase = 32; // NF_NAT_RANGE_PROTO_OFFSET

    /// <summary>Struct nf_nat_ipv4_multi_range_compat: | rangesize u32 | flags u32 | min_ip | max_ip | min be16 | max be16 |.</summary>
    internal const int Size4 = 24;

    /// <summary>Struct nf_nat_range: | flags u32 | min_addr 16 | max_addr 16 | min_proto be16 | max_proto be16 |.</summary>
    internal const int Size = 40;

    /// <summary>Struct nf_nat_range2: the same and | base_proto be16 |.</summary>
    internal const int Size2 = 48;

    /// <summary>The lowest address.</summary>
    public IpAddr? First { get; init; }

    /// <summary>The highest address; null for the lowest.</summary>
    public IpAddr? Last { get; init; }

    /// <summary>The lowest port.</summary>
    public ushort? FirstPort { get; init; }

    /// <summary>The highest port; null for the lowest.</summary>
    public ushort? LastPort { get; init; }

    /// <summary>With a range of ports: the original port that becomes the lowest, with those behind it in order.</summary>
    public ushort? BasePort { get; init; }

    /// <summary>How they are chosen.</summary>
    public NatFlags Flags { get; init; }

    internal static NatRange? Read4(ReadOnlySpan<byte> info, in XtContext context) =>
        info.U32(0) == 1 ? Of(info.U32(4), info.Address(8, IpFamily.IPv4), info.Address(12, IpFamily.IPv4), info.Be16(16), info.Be16(18), 0) : null;

    internal static NatRange Read(ReadOnlySpan<byte> info, in XtContext context) =>
        Of(info.U32(0), info.Address(4, context.Family), info.Address(20, context.Family), info.Be16(36), info.Be16(38), info.Length == Size2 ? info.Be16(40) : (ushort)0);

    internal static void Write4(NatRange range, Span<byte> info, in XtContext context)
    {
        if (range.BasePort is not null) throw new ArgumentException("Only DNAT has a base port.", nameof(range));
        info.Put(0, 1u);
        info.Put(4, range.Bits);
        if (range.First is { } first)
        {
            // The fields have four bytes, those of unions sixteen.
            Span<byte> address = stackalloc byte[16];
            address.Put(0, first, IpFamily.IPv4);
            address[..4].CopyTo(info[8..]);
            address.Put(0, range.Last ?? first, IpFamily.IPv4);
            address[..4].CopyTo(info[12..]);
        }

        info.PutBe(16, range.FirstPort ?? 0);
        info.PutBe(18, range.LastPort ?? range.FirstPort ?? 0);
    }

    internal static void Write(NatRange range, Span<byte> info, in XtContext context)
    {
        info.Put(0, range.Bits);
        if (range.First is { } first)
        {
            info.Put(4, first, context.Family);
            info.Put(20, range.Last ?? first, context.Family);
        }

        info.PutBe(36, range.FirstPort ?? 0);
        info.PutBe(38, range.LastPort ?? range.FirstPort ?? 0);
        if (info.Length == Size2) info.PutBe(40, range.BasePort ?? 0);
        else if (range.BasePort is not null) throw new ArgumentException("Only DNAT has a base port.", nameof(range));
    }

    /// <summary>Adds it under an option; without addresses a colon stands before the ports, or not.</summary>
    internal void Print(string option, bool colon, IptablesArguments text)
    {
        var range = "";
        if (First is { } first)
        {
            range = XtAddresses.Text(first, text.Family) + (Last is { } last ? "-" + XtAddresses.Text(last, text.Family) : "");
            if (text.Family == IpFamily.IPv6 && FirstPort is not null) range = $"[{range}]";
        }

        if (FirstPort is { } port) range += (First is null && !colon ? "" : ":") + port + (LastPort is { } highest ? $"-{highest}" : "") + (BasePort is { } start ? $"/{start}" : "");
        if (range.Length > 0) text.Add($"{option} {range}");
        text.If(Flags.HasFlag(NatFlags.Random), "--random").If(Flags.HasFlag(NatFlags.RandomFully), "--random-fully").If(Flags.HasFlag(NatFlags.Persistent), "--persistent");
    }

    private uint Bits => (uint)Flags | (First is null ? 0 : HasAddresses) | (FirstPort is null ? 0 : HasPorts) | (BasePort is null ? 0 : HasBase);

    private static NatRange Of(uint flags, IpAddr first, IpAddr last, ushort firstPort, ushort lastPort, ushort basePort)
    {
        var (hasAddresses, hasPorts) = ((flags & HasAddresses) != 0, (flags & HasPorts) != 0);
        return new NatRange
        {
            First = hasAddresses ? first : null, Last = hasAddresses && last != first ? last : null,
            FirstPort = hasPorts ? firstPort : null, LastPort = hasPorts && lastPort != firstPort ? lastPort : null,
            BasePort = (flags & HasBase) != 0 ? basePort : null, Flags = (NatFlags)(flags & ~(HasAddresses | HasPorts | HasBase)),
        };
    }
}
