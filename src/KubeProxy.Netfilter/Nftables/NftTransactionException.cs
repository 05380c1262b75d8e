namespace KubeProxy.Netfilter.Nftables;

/// <summary>One operation that the kernel refused, or that was not sent because it is not valid (<see cref="IsOwnCheck"/>).</summary>
/// <param name="OperationIndex">Which operation of the transaction; -1 when the batch as such was refused.</param>
/// <param name="ElementIndex">Which element of it, for element operations; null when the kernel did not say.</param>
/// <param name="Errno">The errno, a positive number such as 17 for EEXIST.</param>
/// <param name="KernelMessage">The extended acknowledgement's text; null when the kernel gave none.</param>
/// <param name="Operation">The operation (and element) as nft text.</param>
public sealed record NftFailure(int OperationIndex, int? ElementIndex, int Errno, string? KernelMessage, string Operation)
{
    /// <summary>
    /// Whether it is this library that refuses the operation, because it is not valid: then nothing was sent, <see cref="Errno"/> is EINVAL,
    /// as the kernel would answer, and <see cref="KernelMessage"/> says what is wrong with it.
    /// </summary>
    public bool IsOwnCheck { get; init; }
}

/// <summary>The kernel refused a transaction, or it was not sent because it is not valid; nothing of it was applied.</summary>
public sealed class NftTransactionException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="failures">At least one failure.</param>
    /// <param name="isStale">See <see cref="IsStale"/>.</param>
    /// <param name="message">The text, naming the first failures.</param>
    public NftTransactionException(IReadOnlyList<NftFailure> failures, bool isStale, string message) : base(message) =>
        (Failures, IsStale) = (failures, isStale);

    /// <summary>Every operation that the kernel refused, in order.</summary>
    public IReadOnlyList<NftFailure> Failures { get; }

    /// <summary>The ruleset was changed by someone else since <see cref="NftTransaction.ExpectedGeneration"/> (ERESTART).</summary>
    public bool IsStale { get; }
}

/// <summary>The acknowledgements of a transaction were lost: it may have been applied or not.</summary>
public sealed class NftUnknownOutcomeException(string message, Exception? innerException = null) : Exception(message, innerException);
