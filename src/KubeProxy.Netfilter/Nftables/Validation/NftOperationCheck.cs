using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>
/// Finds what could not be encoded, or would not read back as it was written, before anything is sent. A problem is reported
/// like a refusal by the kernel (EINVAL), so that callers treat a poisoned object the same wherever it is caught.
/// </summary>
internal static class NftOperationCheck
{
    private const int MaxName = 255; // NFT_NAME_MAXLEN - 1
    private const int MaxComment = 128; // NFTNL_UDATA_COMMENT_MAXLEN

    /// <summary>Every problem of the transaction.</summary>
    public static List<NftFailure> Check(NftTransaction transaction)
    {
        var failures = new List<NftFailure>();
        for (var i = 0; i < transaction.Operations.Count; i++)
            Check(i, transaction.Operations[i], failures);
        return failures;
    }

    /// <summary>What is wrong with an operation, its elements aside (<see cref="NftElementCheck"/>); null: nothing.</summary>
    public static string? Problem(NftOperation operation) => operation switch
    {
        NftOperation.AddTable add => Name(add.Table.Key.Name) ?? Comment(add.Table.Comment),
        NftOperation.DeleteTable delete => Name(delete.Table.Name),
        NftOperation.AddChain add => Name(add.Chain.Key.Name) ?? Comment(add.Chain.Comment) ?? Chain(add.Chain),
        NftOperation.AddObject add => Name(add.Object.Key.Name) ?? Comment(add.Object.Comment),
        NftOperation.DeleteObject delete => Name(delete.Object.Name),
        NftOperation.AddFlowtable add => Name(add.Flowtable.Key.Name),
        NftOperation.DeleteFlowtable delete => Name(delete.Flowtable.Name),
        NftOperation.DeleteChain delete => Name(delete.Chain.Name),
        NftOperation.FlushChain flush => Name(flush.Chain.Name),
        NftOperation.AddSet add => Set(add.Set),
        NftOperation.DeleteSet delete => Name(delete.Set.Name),
        NftOperation.FlushSet flush => Name(flush.Set.Name),
        NftOperation.AddRule add => NftRuleCheck.Problem(add.Chain.Table.Family, add.Rule) ?? Comment(add.Rule.Comment),
        NftOperation.InsertRule insert => NftRuleCheck.Problem(insert.Chain.Table.Family, insert.Rule) ?? Comment(insert.Rule.Comment),
        NftOperation.AddElements add => Set(add.Set),
        NftOperation.DeleteElements delete => Set(delete.Set),
        _ => null,
    };

    private static void Check(int index, NftOperation operation, List<NftFailure> failures)
    {
        if (Problem(operation) is { } problem)
        {
            failures.Add(NftFailures.OfCheck(index, null, problem, operation));
            return;
        }

        var (elements, check) = operation switch
        {
            NftOperation.AddElements add => (add.Elements, new NftElementCheck(add.Set, adding: true)),
            NftOperation.DeleteElements delete => (delete.Elements, new NftElementCheck(delete.Set, adding: false)),
            _ => ([], default),
        };
        for (var i = 0; i < elements.Count; i++)
            if (check.Problem(elements[i]) is { } wrong) failures.Add(NftFailures.OfCheck(index, i, wrong, operation));
    }

    internal static string? Comment(string? comment)
    {
        if (comment is null) return null;
        if (comment.AsSpan().ContainsAny('"', '\n', '\0')) return "a comment cannot have a quote, a line end or a zero";
        return Encoding.UTF8.GetByteCount(comment) is 0 or > MaxComment ? $"a comment needs 1 to {MaxComment} bytes" : null;
    }

    private static string? Name(string name) =>
        Encoding.UTF8.GetByteCount(name) is 0 or > MaxName || name.Contains('\0', StringComparison.Ordinal)
            ? $"a name needs 1 to {MaxName} bytes" : null;

    private static string? Chain(NftChain chain)
    {
        if (chain.IsBlock) return "the block of a jump { ... } belongs to its rule, and cannot be added by itself";
        if (chain.Base is not { } hook) return null;
        if (NftHooks.Number(chain.Key.Table.Family, hook.Hook) is null) return $"no such hook in the {chain.Key.Table.Family} family";
        var hasDevices = hook.Hook is NftHook.Ingress or NftHook.Egress;
        return hasDevices == hook.Devices.IsDefaultOrEmpty ? "a chain of ingress or egress, and only that, has devices" : null;
    }

    private static string? Set(NftSet set)
    {
        if (Name(set.Key.Name) is { } name) return name;
        if (Comment(set.Comment) is { } comment) return comment;
        if (Types(set.KeyType) is { } key) return "key: " + key;
        if (set.Kind == NftSetKind.Map != !set.DataType.IsEmpty) return "a map, and only a map, has a data type";
        if (set.Kind == NftSetKind.Map && Types(set.DataType) is { } data) return "data: " + data;
        if (set.Kind == NftSetKind.ObjectMap == (set.ObjectKind == NftObjectKind.None)) return "an object map, and only that, has a kind of objects";
        if (Typeof(set.KeyTypeof, set.KeyType) is { } keyTypeof) return "key typeof: " + keyTypeof;
        if (Typeof(set.DataTypeof, set.DataType) is { } dataTypeof) return "data typeof: " + dataTypeof;
        if (set.KeyLength is 0 or > NftData.MaxLength) return $"key: not 1 to {NftData.MaxLength} bytes";
        if (set.Kind == NftSetKind.Map && set.DataLength is 0 or > NftData.MaxLength) return $"data: not 1 to {NftData.MaxLength} bytes";
        if (set.Timeout is not null && !set.Flags.HasFlag(NftSetFlags.Timeout)) return "a timeout needs the timeout flag";
        return set.Timeout is { } timeout && timeout < TimeSpan.FromMilliseconds(1) ? "a timeout is at least 1 ms" : null;
    }

    private static string? Types(System.Collections.Immutable.ImmutableArray<NftDataType> types)
    {
        if (types.IsDefaultOrEmpty) return "no type";
        return types.Length > NftDataTypes.MaxConcatenation ? $"more than {NftDataTypes.MaxConcatenation} parts" : null;
    }

    private static string? Typeof(
        System.Collections.Immutable.ImmutableArray<NftExpression> expressions, System.Collections.Immutable.ImmutableArray<NftDataType> types)
    {
        if (expressions.IsEmpty) return null;
        if (expressions.Any(expression => !NftTypeofKinds.Has(expression))) return "there is a part that nft has no typeof for";
        return expressions.SelectMany(expression => expression.TypesOf()).SequenceEqual(types) ? null : "does not have the declared type";
    }
}
