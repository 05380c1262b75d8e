using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>How <see cref="PolicyMatch"/> looks (<c>enum xt_policy_flags</c>).</summary>
[Flags]
public enum PolicyFlags : ushort
{
    /// <summary>Policy in.</summary>
    In = 1, // XT_POLICY_MATCH_IN

    /// <summary>Policy out.</summary>
    Out = 2, // XT_POLICY_MATCH_OUT

    /// <summary>There is no policy.</summary>
    None = 4, // XT_POLICY_MATCH_NONE

    /// <summary>The policy has these elements and no others.</summary>
    Strict = 8, // XT_POLICY_MATCH_STRICT
}

/// <summary>An element of an IPsec policy. Null is any.</summary>
public sealed record PolicyElement
{
    /// <summary>The number of the request, and whether it is not this one.</summary>
    public (uint Value, bool Negated)? RequestId { get; init; }

    /// <summary>The security parameters index.</summary>
    public (uint Value, bool Negated)? Spi { get; init; }

    /// <summary>The protocol.</summary>
    public ProtocolMatch? Protocol { get; init; }

    /// <summary>Tunnel instead of transport.</summary>
    public (bool Value, bool Negated)? IsTunnel { get; init; }

    /// <summary>The source of the tunnel.</summary>
    public AddressMatch? TunnelSource { get; init; }

    /// <summary>The destination of the tunnel.</summary>
    public AddressMatch? TunnelDestination { get; init; }
}

/// <summary><c>-m policy</c>: the IPsec policy that the packet came or goes by.</summary>
/// <param name="Flags">How it looks.</param>
/// <param name="Elements">At most 4.</param>
public sealed record PolicyMatch(PolicyFlags Flags, ImmutableArray<PolicyElement> Elements) : IptablesMatch
{
    private const int Limit = 4; // XT_POLICY_MAX_ELEM
    private const int ElementSize = 76;

    // Bits of struct xt_policy_spec.
    private const byte Source = 1;
    private const byte Destination = 2;
    private const byte Proto = 4;
    private const byte Mode = 8;
    private const byte Spi = 16;
    private const byte RequestId = 32;

    // struct xt_policy_info (xt_policy.h): | pol { saddr | smask | daddr | dmask, each 16 | spi be32 | reqid u32 | proto u8 | mode u8 | match u8 | invert u8 }[4] | flags u16 | len u16 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, PolicyMatch>("policy", 0, 312, Read, Write, Print);

    /// <inheritdoc/>
    public bool Equals(PolicyMatch? other) => other is not null && Flags == other.Flags && Elements.AsSpan().SequenceEqual(other.Elements.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Elements.Aggregate((int)Flags, HashCode.Combine);

    private static PolicyMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var count = info.U16(306);
        if (count > Limit) return null;
        var elements = ImmutableArray.CreateBuilder<PolicyElement>(count);
        for (var i = 0; i < count; i++)
        {
            var at = info.Slice(i * ElementSize, ElementSize);
            var (flags, inverted) = (at[74], at[75]);
            var source = at.Block(0, context.Family, 16);
            var destination = at.Block(32, context.Family, 48);
            if (((flags & Source) != 0 && source is null) || ((flags & Destination) != 0 && destination is null)) return null;
            elements.Add(new PolicyElement
            {
                TunnelSource = (flags & Source) == 0 ? null : new AddressMatch(source!.Value, (inverted & Source) != 0),
                TunnelDestination = (flags & Destination) == 0 ? null : new AddressMatch(destination!.Value, (inverted & Destination) != 0),
                Spi = (flags & Spi) == 0 ? null : (at.U32(64), (inverted & Spi) != 0),
                RequestId = (flags & RequestId) == 0 ? null : (at.U32(68), (inverted & RequestId) != 0),
                Protocol = (flags & Proto) == 0 ? null : new ProtocolMatch((Protocol)at[72], (inverted & Proto) != 0),
                IsTunnel = (flags & Mode) == 0 ? null : (at[73] != 0, (inverted & Mode) != 0),
            });
        }

        return new PolicyMatch((PolicyFlags)info.U16(304), elements.ToImmutable());
    }

    private static void Write(PolicyMatch match, Span<byte> info, in XtContext context)
    {
        if (match.Elements.Length > Limit) throw new ArgumentException($"More than {Limit} elements.", nameof(match));
        for (var i = 0; i < match.Elements.Length; i++) Write(match.Elements[i], info.Slice(i * ElementSize, ElementSize), context.Family);
        info.Put(304, (ushort)match.Flags);
        info.Put(306, (ushort)match.Elements.Length);
    }

    private static void Write(PolicyElement element, Span<byte> at, IpFamily family)
    {
        byte flags = 0, inverted = 0;
        if (element.TunnelSource is { } source) at.Put(0, source.Block, family, 16);
        if (element.TunnelDestination is { } destination) at.Put(32, destination.Block, family, 48);
        at.Put(64, element.Spi?.Value ?? 0);
        at.Put(68, element.RequestId?.Value ?? 0);
        at[72] = (byte)(element.Protocol?.Protocol ?? 0);
        at.Put(73, element.IsTunnel?.Value ?? false);
        Set(Source, element.TunnelSource is not null, element.TunnelSource is { Negated: true });
        Set(Destination, element.TunnelDestination is not null, element.TunnelDestination is { Negated: true });
        Set(Proto, element.Protocol is not null, element.Protocol is { Negated: true });
        Set(Mode, element.IsTunnel is not null, element.IsTunnel is { Negated: true });
        Set(Spi, element.Spi is not null, element.Spi is { Negated: true });
        Set(RequestId, element.RequestId is not null, element.RequestId is { Negated: true });
        (at[74], at[75]) = (flags, inverted);

        void Set(byte bit, bool isSet, bool isInverted)
        {
            if (isSet) flags |= bit;
            if (isInverted) inverted |= bit;
        }
    }

    private static void Print(PolicyMatch match, IptablesArguments text)
    {
        text.Add(match.Flags.HasFlag(PolicyFlags.In) ? "--dir in" : "--dir out").Add(match.Flags.HasFlag(PolicyFlags.None) ? "--pol none" : "--pol ipsec");
        text.If(match.Flags.HasFlag(PolicyFlags.Strict), "--strict");
        for (var i = 0; i < match.Elements.Length; i++)
        {
            text.If(i > 0, "--next");
            Print(match.Elements[i], text);
        }
    }

    private static void Print(PolicyElement element, IptablesArguments text)
    {
        if (element.RequestId is var (id, notId)) text.Not(notId).Add($"--reqid {id}");
        if (element.Spi is var (spi, notSpi)) text.Not(notSpi).Add($"--spi 0x{spi:x}");
        if (element.Protocol is { } protocol) text.Not(protocol.Negated).Add($"--proto {IptablesProtocols.Registered((byte)protocol.Protocol)}");
        if (element.IsTunnel is var (isTunnel, notMode)) text.Not(notMode).Add(isTunnel ? "--mode tunnel" : "--mode transport");
        if (element.TunnelDestination is { } destination) text.Not(destination.Negated).Add($"--tunnel-dst {XtAddresses.Short(destination.Block, text.Family)}");
        if (element.TunnelSource is { } source) text.Not(source.Negated).Add($"--tunnel-src {XtAddresses.Short(source.Block, text.Family)}");
    }
}
