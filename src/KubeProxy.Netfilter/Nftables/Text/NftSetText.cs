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
            : $"typeof {Typeof(set.KeyTypeof)}{DataOf(set, Typeof(set.DataTypeof))}";
        if (set.Size is { } size) yield return $"size {NftValueText.Decimal(size)}";
        if (Flags(set.Flags) is { Length: > 0 } flags) yield return $"flags {flags}";
        if (set.Timeout is { } timeout) yield return $"timeout {NftValueText.Time(timeout)}";
        if (set.Comment is { } comment) yield return $"comment {NftValueText.Quoted(comment)}";
    }

    public static string Element(NftSet set, in NftElement element) =>
        Element(set.KeyType, set.DataType, set.Flags.HasFlag(NftSetFlags.Interval), element);

    public static string Element(
        ImmutableArray<NftDataType> keyType, ImmutableArray<NftDataType> dataType, bool interval, in NftElement element)
    {
        var text = new StringBuilder(interval && !element.KeyEnd.IsEmpty
            ? NftValueText.Range(keyType, element.Key.Span, element.KeyEnd.Span)
            : NftValueText.Value(keyType, element.Key.Span));
        if (element.Timeout is { } timeout) text.Append(" timeout ").Append(NftValueText.Time(timeout));
        if (element.Expires is { } expires) text.Append(" expires ").Append(NftValueText.Time(expires));
        if (element.Comment is { } comment) text.Append(" comment ").Append(NftValueText.Quoted(comment));
        if (element.Verdict is { } verdict) text.Append(" : ").Append(verdict);
        else if (!element.Data.IsEmpty) text.Append(" : ").Append(NftValueText.Value(dataType, element.Data.Span));
        return text.ToString();
    }

    private static string DataOf(NftSet set, string data) => set.Kind switch
    {
        NftSetKind.Map => " : " + data,
        NftSetKind.VerdictMap => " : verdict",
        _ => "",
    };

    private static string Types(ImmutableArray<NftDataType> types) => string.Join(" . ", types.Select(type => type.NftName()));

    private static string Typeof(ImmutableArray<NftExpression> expressions) =>
        string.Join(" . ", expressions.Select(NftRuleText.Expression));

    private static string Flags(NftSetFlags flags) => string.Join(',', FlagNames(flags));

    private static IEnumerable<string> FlagNames(NftSetFlags flags)
    {
        if (flags.HasFlag(NftSetFlags.Constant)) yield return "constant";
        if (flags.HasFlag(NftSetFlags.Interval)) yield return "interval";
        if (flags.HasFlag(NftSetFlags.Dynamic)) yield return "dynamic";
        if (flags.HasFlag(NftSetFlags.Timeout)) yield return "timeout";
    }
}
