namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>What a <see cref="RulesetCommitter"/> brings into the kernel: desired objects, and what is known of the kernel's.</summary>
internal interface IRuleset
{
    /// <summary>Whether the kernel differs from what is desired, as far as known.</summary>
    bool HasChanges { get; }

    /// <summary>The number of objects in which the kernel differs.</summary>
    int ChangeCount { get; }

    /// <summary>
    /// The last list of writes began from scratch: when the kernel refuses it, what is there has to be read again.
    /// </summary>
    bool MustLookAfterRefusal { get; }

    /// <summary>Reads what the kernel has and takes it over.</summary>
    /// <param name="thorough">Whether nothing may be overlooked; otherwise what nothing leads to may be, if that is much faster.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The generation of the ruleset that was read.</returns>
    Task<uint> ReadAsync(bool thorough, CancellationToken cancellationToken);

    /// <summary>The difference, as transactions that leave the node consistent after each.</summary>
    /// <param name="separateElements">One element an operation, to find out which one the kernel refuses.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IEnumerable<List<PendingWrite>>> WriteAsync(bool separateElements, CancellationToken cancellationToken);

    /// <summary>Deletions that have to wait until nothing leads to the object any more; none when there is nothing to delete.</summary>
    List<PendingWrite> WriteSweep();

    /// <summary>Notes that the kernel refused the sweep, of which nothing was done.</summary>
    /// <returns>Whether what is known of the kernel can still be relied upon.</returns>
    bool KeepsAfterRefusedSweep();
}
