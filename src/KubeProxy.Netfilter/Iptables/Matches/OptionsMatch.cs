using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m hbh</c> and <c>-m dst</c>: the options headers of IPv6 (RFC 8200).</summary>
/// <param name="IsDestination">The destination options, instead of the hop-by-hop options.</param>
public abstract record OptionsMatch(bool IsDestination) : IptablesMatch
{
    private const int Limit = 16; // IP6T_OPTS_OPTSNR
    private const byte HasLength = 1; // IP6T_OPTS_LEN
    private const byte HasOptions = 2; // IP6T_OPTS_OPTS
    private const ushort AnyLength = 0xFF;

    /// <summary>The length of the header in bytes; null for any.</summary>
    public uint? Length { get; init; }

    /// <summary>Not this length.</summary>
    public bool LengthNegated { get; init; }

    /// <summary>The options in order, at most 16: type, and length where it matters; null where options do not matter.</summary>
    public ImmutableArray<(byte Type, byte? Length)>? Options { get; init; }

    // struct ip6t_opts (ip6t_opts.h): | hdrlen u32 | flags u8 | invflags u8 | opts u16[16] | optsnr u8 |
    internal static XtCodec<IptablesMatch> HopByHopCodec { get; } = new XtCodec<IptablesMatch, HopByHopOptionsMatch>(
        "hbh", 0, 40, static (info, in _) => Read(new HopByHopOptionsMatch(), info) as HopByHopOptionsMatch, Write, Print) { Family = IpFamily.IPv6 };

    internal static XtCodec<IptablesMatch> DestinationCodec { get; } = new XtCodec<IptablesMatch, DestinationOptionsMatch>(
        "dst", 0, 40, static (info, in _) => Read(new DestinationOptionsMatch(), info) as DestinationOptionsMatch, Write, Print) { Family = IpFamily.IPv6 };

    /// <inheritdoc/>
    public virtual bool Equals(OptionsMatch? other) => other is not null && EqualityContract == other.EqualityContract && Length == other.Length && LengthNegated == other.LengthNegated
        && Options is null == other.Options is null && (Options ?? []).AsSpan().SequenceEqual((other.Options ?? []).AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsDestination, Length, LengthNegated, Options?.Length);

    private static OptionsMatch? Read(OptionsMatch empty, ReadOnlySpan<byte> info)
    {
        var (flags, count) = (info[4], info[38]);
        if (count > Limit || ((flags & HasOptions) == 0 && count > 0)) return null;
        var options = ImmutableArray.CreateBuilder<(byte, byte?)>(count);
        for (var i = 0; i < count; i++)
        {
            var option = info.U16(6 + (2 * i));
            options.Add(((byte)(option >> 8), (option & AnyLength) == AnyLength ? null : (byte)option));
        }

        return empty with
        {
            Length = (flags & HasLength) == 0 ? null : info.U32(0), LengthNegated = (info[5] & HasLength) != 0, Options = (flags & HasOptions) == 0 ? null : options.ToImmutable(),
        };
    }

    private static void Write(OptionsMatch match, Span<byte> info, in XtContext context)
    {
        var options = match.Options ?? [];
        if (options.Length > Limit) throw new ArgumentException($"More than {Limit} options.", nameof(match));
        info.Put(0, match.Length ?? 0);
        info[4] = (byte)((match.Length is null ? 0 : HasLength) | (match.Options is null ? 0 : HasOptions));
        info[5] = match.LengthNegated ? HasLength : (byte)0;
        for (var i = 0; i < options.Length; i++) info.Put(6 + (2 * i), (ushort)((options[i].Type << 8) | (options[i].Length ?? AnyLength)));
        info[38] = (byte)options.Length;
    }

    private static void Print(OptionsMatch match, IptablesArguments text)
    {
        var name = match.IsDestination ? "--dst" : "--hbh";
        if (match.Length is { } length) text.Not(match.LengthNegated).Add($"{name}-len {length}");
        if (match.Options is { } options) text.Add($"{name}-opts {string.Join(',', options.Select(option => option.Length is { } size ? $"{option.Type}:{size}" : $"{option.Type}"))}");
    }
}

/// <summary><c>-m hbh</c>: the hop-by-hop options of IPv6.</summary>
public sealed record HopByHopOptionsMatch() : OptionsMatch(IsDestination: false);

/// <summary><c>-m dst</c>: the destination options of IPv6.</summary>
public sealed record DestinationOptionsMatch() : OptionsMatch(IsDestination: true);
