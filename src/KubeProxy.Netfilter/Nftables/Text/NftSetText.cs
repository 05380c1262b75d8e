using System.Collections.Immutable;
using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Sets and elements as nft prints them.</summary>
internal static class NftSetText
{
    /// <summary><c>set</c> or <c>map</c>.</summary>
    public static string Keyword(NftSetKind kind) => kind == NftSetKind.Set ? "set" : "map";

    /// <summary>What stands between the braces of a declaration, without elements.</summary>
    public static IEnumerable<string> Properties(NftSet set)
    {
        yield return set.KeyTypeof.IsEmpty
            ? $"type {Types(set.KeyType)}{DataOf(set, Types(set.DataType))}"
            : $"typeof {Typeof(set.KeyTypeof)}{DataOf(set, set.DataTypeof.IsEmpty ? Types(set.DataType) : Typeof(set.DataTypeof))}";
        if (set.PrefersMemory) yield return "policy memory";
        if (set.Size is { } size && !set.Flags.HasFlag(NftSetFlags.Constant)) yield return $"size {NftValueText.Decimal(size)}";
        if (Flags(set) is { Length: > 0 } flags) yield return $"flags {flags}";
        if (set.Timeout is { } timeout) yield return $"timeout {NftValueText.Time(timeout)}";
        if (set.GcInterval is { } interval) yield return $"gc-interval {NftValueText.Time(interval)}";
        if (set.AutoMerge) yield return "auto-merge";
        if (!set.Statements.IsEmpty) yield return string.Join(' ', set.Statements.Select(statement => NftStatementText.Stateful(statement, isStateless: true)));
        if (set.Comment is { } comment) yield return $"comment {NftValueText.Quoted(comment)}";
        if (!set.Unknown.IsEmpty) yield return NftOpaqueText.Of("attributes 0x" + Convert.ToHexStringLower(set.Unknown.AsSpan()));
    }

    public static string Element(NftSet set, in NftElement element) => Element(
        Shown(NftSetFormats.OfKey(set), set.KeyTypeof), set.Kind == NftSetKind.Map ? NftTypes.OfData(set) : null, set.Flags.HasFlag(NftSetFlags.Interval), element,
        set.DataTypeof.IsEmpty ? null : NftSetFormats.OfData(set));

    /// <param name="key">What the key is made of.</param>
    /// <param name="data">The type of the data; null for none.</param>
    /// <param name="interval">Whether keys are ranges.</param>
    /// <param name="element">The element.</param>
    /// <param name="dataFormats">What the data are made of, where more is known than the type.</param>
    public static string Element(
        ImmutableArray<NftFormat> key, NftTypes? data, bool interval, in NftElement element, ImmutableArray<NftFormat>? dataFormats = null)
    {
        var text = new StringBuilder(element.IsCatchAll ? "*" : interval && !element.KeyEnd.IsEmpty
            ? NftValueText.Range(key, element.Key.Span, element.KeyEnd.Span) : NftValueText.Value(key, element.Key.Span));
        foreach (var statement in element.Details?.Statements ?? []) text.Append(' ').Append(NftStatementText.Stateful(statement));
        if (element.Timeout is { } timeout) text.Append(" timeout ").Append(NftValueText.Time(timeout));
        if (element.Expires is { } expires) text.Append(" expires ").Append(NftValueText.Time(expires));
        if (element.Comment is { } comment) text.Append(" comment ").Append(NftValueText.Quoted(comment));
        if (element.Details is { Unknown.IsEmpty: false } details) text.Append(' ').Append(NftOpaqueText.Of("attributes 0x" + Convert.ToHexStringLower(details.Unknown.AsSpan())));
        if (element.Verdict is { } verdict) text.Append(" : ").Append(verdict);
        else if (element.Details?.Object is { } name) text.Append(" : ").Append(NftValueText.Quoted(name));
        else if (!element.Data.IsEmpty) text.Append(" : ").Append(Data(dataFormats ?? data?.Formats ?? [], data?.IsInterval ?? false, element.Data.Span));
        return text.ToString();
    }

    /// <summary>Elements as nft sorts them: numbers by value, names of bits by the lowest, all else from the last byte on.</summary>
    public static IEnumerable<NftElement> Sorted(ImmutableArray<NftFormat> key, NftElements set)
    {
        var sorted = set.Items.OrderBy(element => element.IsCatchAll);
        if (key is not [var single] || (single.Type.IsText() && !set.IsInterval)) return sorted.ThenBy(element => Reversed(element.Key), NftDataOrder.Instance);
        if (single.Type.IsBits() && single.Bytes <= 8)
        {
            return sorted.ThenBy(element => (ulong)NftValueText.Number(single, element.Key.Span) is var bits ? bits & (~bits + 1) : 0)
                .ThenByDescending(element => NftValueText.Number(single, element.Key.Span));
        }

        return sorted.ThenBy(element => single.IsSwapped ? Reversed(element.Key) : element.Key, NftDataOrder.Instance);
    }

    /// <summary>Bytes of the packet without a name are shown in hexadecimal.</summary>
    private static ImmutableArray<NftFormat> Shown(ImmutableArray<NftFormat> formats, ImmutableArray<NftExpression> expressions) =>
        expressions.Any(expression => expression is NftRawPayload)
            ? [.. formats.Select((format, index) => expressions[index] is NftRawPayload ? format with { Type = NftDataType.Bitmask } : format)] : formats;

    private static NftData Reversed(in NftData key)
    {
        Span<byte> bytes = stackalloc byte[key.Length];
        key.Span.CopyTo(bytes);
        bytes.Reverse();
        return new NftData(bytes);
    }

    private static string Data(ImmutableArray<NftFormat> formats, bool isInterval, ReadOnlySpan<byte> bytes)
    {
        if (formats.IsEmpty) return "0x" + Convert.ToHexStringLower(bytes);
        return isInterval ? NftValueText.Range(formats, bytes[..(bytes.Length / 2)], bytes[(bytes.Length / 2)..]) : NftValueText.Value(formats, bytes);
    }

    private static string DataOf(NftSet set, string data) => set.Kind switch
    {
        NftSetKind.Map => $" : {(set.HasDataIntervals ? "interval " : "")}{data}",
        NftSetKind.VerdictMap => " : verdict",
        NftSetKind.ObjectMap => " : " + NftObjectText.Keyword(set.ObjectKind),
        _ => "",
    };

    private static string Types(ImmutableArray<NftDataType> types) => string.Join(" . ", types.Select(type => type.NftName()));

    private static string Typeof(ImmutableArray<NftExpression> expressions) =>
        string.Join(" . ", expressions.Select(NftRuleText.Expression));

    private static string Flags(NftSet set) => string.Join(',', FlagNames(set));

    private static IEnumerable<string> FlagNames(NftSet set)
    {
        if (set.Flags.HasFlag(NftSetFlags.Constant)) yield return "constant";
        if (set.Flags.HasFlag(NftSetFlags.Interval)) yield return "interval";
        if (set.Flags.HasFlag(NftSetFlags.Dynamic)) yield return "dynamic";
        // A timeout says it.
        if (set.Flags.HasFlag(NftSetFlags.Timeout) && (set.Timeout is null || set.Flags != NftSetFlags.Timeout)) yield return "timeout";
    }
}
