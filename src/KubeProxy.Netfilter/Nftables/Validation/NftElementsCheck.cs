using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Finds what is wrong with the elements of an anonymous set.</summary>
internal static class NftElementsCheck
{
    public static string? Problem(NftExpression key, NftTypes? data, bool verdicts, NftElements elements)
    {
        var formats = key.FormatsOf();
        if (formats.IsEmpty) return "the key has no type of its own";
        if (elements.Items.IsEmpty) return "no elements";
        if (elements.IsInterval && formats.Any(format => format.IsSwapped)) return "ranges of numbers in host order need an NftNetworkOrder of the key";
        var (keyLength, dataLength) = (NftExpressionTypes.LengthOf(formats), data?.Length ?? 0);
        foreach (var element in elements.Items)
        {
            if (!element.IsCatchAll && (element.Key.Length != keyLength || (elements.IsInterval && element.KeyEnd.Length != keyLength))) return $"a key does not have {keyLength} bytes";
            if (element.Data.Length != dataLength) return $"the data does not have {dataLength} bytes";
            if (elements.IsInterval && !element.IsCatchAll && NftIntervals.IsReversed(formats, element.Key, element.KeyEnd)) return "a range ends before it begins";
            if (verdicts != element.Verdict is not null) return "an element of a verdict map, and only that, has a verdict";
            if (element.Verdict is { } verdict && NftRuleCheck.Verdict(verdict) is { } wrong) return wrong;
            if (NftOperationCheck.Comment(element.Comment) is { } comment) return comment;
        }

        return null;
    }
}
