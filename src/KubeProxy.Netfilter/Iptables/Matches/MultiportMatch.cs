using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Which ports <see cref="MultiportMatch"/> looks at (<c>enum xt_multiport_flags</c>).</summary>
public enum MultiportSide : byte
{
    /// <summary>Source.</summary>
    Source = 0, // XT_MULTIPORT_SOURCE

    /// <summary>Destination.</summary>
    Destination = 1, // XT_MULTIPORT_DESTINATION

    /// <summary>One of both.</summary>
    Either = 2, // XT_MULTIPORT_EITHER
}

/// <summary><c>-m multiport</c>: any of several ports. Needs a protocol that has ports.</summary>
/// <param name="Side">Which ports.</param>
/// <param name="Ports">The ports and ranges: 1 to 15 numbers together, a range counts two. Whether each is negated does not count.</param>
/// <param name="Negated">None of these.</param>
public sealed record MultiportMatch(MultiportSide Side, ImmutableArray<PortRange> Ports, bool Negated = false) : IptablesMatch
{
    private const int Limit = 15; // XT_MULTI_PORTS

    // struct xt_multiport_v1 (xt_multiport.h): | flags u8 | count u8 | ports u16[15] | pflags u8[15] | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, MultiportMatch>("multiport", 1, 48, Read, Write, Print);

    /// <inheritdoc/>
    public bool Equals(MultiportMatch? other) =>
        other is not null && Side == other.Side && Negated == other.Negated && Ports.AsSpan().SequenceEqual(other.Ports.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Ports.Aggregate(HashCode.Combine(Side, Negated), HashCode.Combine);

    private static MultiportMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var count = info[1];
        if (count > Limit) return null;
        var ports = ImmutableArray.CreateBuilder<PortRange>(count);
        for (var i = 0; i < count; i++)
        {
            var first = info.U16(2 + (2 * i));
            var isRange = info[32 + i] != 0;
            if (isRange && ++i == count) return null;
            ports.Add(new PortRange(first, isRange ? info.U16(2 + (2 * i)) : first));
        }

        return new MultiportMatch((MultiportSide)info[0], ports.ToImmutable(), info[47] != 0);
    }

    private static void Write(MultiportMatch match, Span<byte> info, in XtContext context)
    {
        var count = 0;
        foreach (var ports in match.Ports)
        {
            var isRange = ports.First != ports.Last;
            if (count + (isRange ? 2 : 1) > Limit) throw new ArgumentException($"More than {Limit} ports.", nameof(match));
            info.Put(32 + count, isRange);
            info.Put(2 + (2 * count++), ports.First);
            if (isRange) info.Put(2 + (2 * count++), ports.Last);
        }

        (info[0], info[1]) = ((byte)match.Side, (byte)count);
        info.Put(47, match.Negated);
    }

    private static void Print(MultiportMatch match, IptablesArguments text)
    {
        var option = match.Side switch { MultiportSide.Source => "--sports", MultiportSide.Destination => "--dports", _ => "--ports" };
        text.Not(match.Negated).Add($"{option} {string.Join(',', match.Ports)}");
    }
}
