using System.Collections.Immutable;
using System.Text;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m string</c>: bytes in the packet.</summary>
/// <param name="Pattern">The bytes, 1 to 128.</param>
/// <param name="Algorithm">How they are looked for: <c>bm</c> or <c>kmp</c>; 1 to 15 bytes.</param>
/// <param name="Negated">They are not there.</param>
public sealed record StringMatch(ImmutableArray<byte> Pattern, string Algorithm, bool Negated = false) : IptablesMatch
{
    private const int AlgorithmSize = 16; // XT_STRING_MAX_ALGO_NAME_SIZE
    private const int PatternAt = 20;
    private const int PatternLimit = 128; // XT_STRING_MAX_PATTERN_SIZE
    private const byte Inverted = 1; // XT_STRING_FLAG_INVERT
    private const byte WithoutCase = 2; // XT_STRING_FLAG_IGNORECASE

    /// <summary>Where the first byte is at the earliest.</summary>
    public ushort From { get; init; }

    /// <summary>Where the first byte is at the latest.</summary>
    public ushort To { get; init; } = ushort.MaxValue;

    /// <summary>Letters are the same in upper and lower case.</summary>
    public bool IgnoreCase { get; init; }

    // struct xt_string_info (xt_string.h): | from_offset u16 | to_offset u16 | algo char[16] | pattern char[128] | patlen u8 | flags u8 | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, StringMatch>("string", 1, 160, Read, Write, Print);

    /// <inheritdoc/>
    public bool Equals(StringMatch? other) => other is not null && Algorithm == other.Algorithm && Negated == other.Negated && From == other.From && To == other.To
        && IgnoreCase == other.IgnoreCase && Pattern.AsSpan().SequenceEqual(other.Pattern.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Pattern.AsSpan());
        hash.Add(From);
        return hash.ToHashCode();
    }

    private static StringMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var length = info[148];
        if (length is 0 or > PatternLimit || info.Text(4, AlgorithmSize) is not { } algorithm) return null;
        return new StringMatch([.. info.Slice(PatternAt, length)], algorithm, (info[149] & Inverted) != 0)
        {
            From = info.U16(0), To = info.U16(2), IgnoreCase = (info[149] & WithoutCase) != 0,
        };
    }

    private static void Write(StringMatch match, Span<byte> info, in XtContext context)
    {
        if (match.Pattern.Length is 0 or > PatternLimit) throw new ArgumentException($"The pattern has 1 to {PatternLimit} bytes.", nameof(match));
        info.Put(0, match.From);
        info.Put(2, match.To);
        info.Put(4, AlgorithmSize, match.Algorithm);
        match.Pattern.AsSpan().CopyTo(info[PatternAt..]);
        (info[148], info[149]) = ((byte)match.Pattern.Length, (byte)((match.Negated ? Inverted : 0) | (match.IgnoreCase ? WithoutCase : 0)));
    }

    private static void Print(StringMatch match, IptablesArguments text)
    {
        var isText = match.Pattern.All(value => value is >= 0x20 and < 0x7F) && match.Pattern is not [.., (byte)'\\'];
        var pattern = Encoding.ASCII.GetString(match.Pattern.AsSpan());
        text.Not(match.Negated).Add(isText
            ? $"--string \"{pattern.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            : $"--hex-string \"|{Convert.ToHexStringLower(match.Pattern.AsSpan())}|\"");
        text.Add($"--algo {match.Algorithm}");
        if (match.From != 0) text.Add($"--from {match.From}");
        if (match.To != ushort.MaxValue) text.Add($"--to {match.To}");
        text.If(match.IgnoreCase, "--icase");
    }
}
