namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>What has been asked of <see cref="InMemoryNftables"/>.</summary>
public sealed class InMemoryNftablesCounts
{
    /// <summary>Transactions, refused ones included.</summary>
    public int Commits { get; private set; }

    /// <summary>Reads of tables, of their content or of elements.</summary>
    public int Dumps { get; private set; }

    /// <summary>Elements that were found by key.</summary>
    public int ElementsGot { get; private set; }

    /// <summary>Operations that were applied.</summary>
    public int Operations { get; private set; }

    /// <summary>Elements that were added.</summary>
    public int ElementsAdded { get; private set; }

    /// <summary>Elements that were deleted.</summary>
    public int ElementsDeleted { get; private set; }

    /// <summary>Rules that were added or deleted.</summary>
    public int RulesChanged { get; private set; }

    /// <summary>Starts counting from zero.</summary>
    public void Reset() =>
        (Commits, Dumps, ElementsGot, Operations, ElementsAdded, ElementsDeleted, RulesChanged) = (0, 0, 0, 0, 0, 0, 0);

    internal void CountCommit() => Commits++;

    internal void CountDump() => Dumps++;

    internal void CountGet() => ElementsGot++;

    internal void Count(NftTransaction transaction)
    {
        Operations += transaction.Operations.Count;
        foreach (var operation in transaction.Operations)
        {
            switch (operation)
            {
                case NftOperation.AddElements add: ElementsAdded += add.Elements.Count; break;
                case NftOperation.DeleteElements delete: ElementsDeleted += delete.Elements.Count; break;
                case NftOperation.AddRule or NftOperation.InsertRule or NftOperation.DeleteRule: RulesChanged++; break;
            }
        }
    }
}
