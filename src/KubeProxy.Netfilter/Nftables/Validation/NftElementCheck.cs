using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Finds what could not be encoded, or would not read back as it was written, in the elements of an operation.</summary>
/// <param name="set">Their set, in which <see cref="NftOperationCheck.Problem"/> found nothing.</param>
/// <param name="adding">Whether they are added; of those to be deleted only the key matters.</param>
internal readonly struct NftElementCheck(NftSet set, bool adding)
{
    private readonly ImmutableArray<NftFormat> _formats = set.Flags.HasFlag(NftSetFlags.Interval) ? NftSetFormats.OfKey(set) : [];
    private readonly int _keyLength = set.KeyLength;
    private readonly int _dataLength = set.DataLength;

    /// <summary>What is wrong with an element; null: nothing.</summary>
    public string? Problem(in NftElement element)
    {
        if (element.IsCatchAll)
        {
            if (!element.Key.IsEmpty || !element.KeyEnd.IsEmpty) return "what stands for every key has none of its own";
        }
        else if (element.Key.Length != _keyLength)
        {
            return $"the key has {element.Key.Length} bytes instead of {_keyLength}";
        }

        if (!element.KeyEnd.IsEmpty)
        {
            if (!set.Flags.HasFlag(NftSetFlags.Interval)) return "a range in a set that is not of ranges";
            if (element.KeyEnd.Length != _keyLength) return $"the end of the range has {element.KeyEnd.Length} bytes instead of {_keyLength}";
            if (NftIntervals.IsReversed(_formats, element.Key, element.KeyEnd)) return "the range ends before it begins";
        }

        if (!adding) return null;
        if (element.Data.Length != _dataLength) return $"the data has {element.Data.Length} bytes instead of {_dataLength}";
        if (element.Verdict is null == (set.Kind == NftSetKind.VerdictMap)) return "an element of a verdict map, and only that, has a verdict";
        if (string.IsNullOrEmpty(element.Details?.Object) == (set.Kind == NftSetKind.ObjectMap)) return "an element of an object map, and only that, names an object";
        if (element.Verdict is { } verdict && NftRuleCheck.Verdict(verdict) is { } wrong) return wrong;
        if (element.Timeout is { } timeout && timeout < TimeSpan.FromMilliseconds(1)) return "a timeout is at least 1 ms";
        return NftOperationCheck.Comment(element.Comment);
    }
}
