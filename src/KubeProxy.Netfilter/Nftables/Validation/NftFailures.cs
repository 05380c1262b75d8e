using System.Globalization;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Makes failures and the exception that carries them.</summary>
internal static class NftFailures
{
    private const int ShownElements = 3;
    private const int ShownFailures = 3;

    public static NftFailure Of(int index, int? element, int errno, string? message, NftOperation operation) =>
        new(index, element, errno, message, NftText.Of(operation, element, ShownElements));

    /// <summary>Of an operation that is not valid, and is not sent.</summary>
    public static NftFailure OfCheck(int index, int? element, string problem, NftOperation operation) =>
        Of(index, element, Errno.InvalidArgument, problem, operation) with { IsOwnCheck = true };

    public static NftFailure OfBatch(int errno, string? message) => new(-1, null, errno, message, "");

    /// <param name="failures">At least one.</param>
    public static NftTransactionException Exception(IReadOnlyList<NftFailure> failures) => new(
        failures,
        failures.Any(failure => failure.OperationIndex < 0 && failure.Errno == Errno.Restart),
        (failures.Any(failure => failure.IsOwnCheck) ? "the transaction is not valid and was not sent: " : "nftables refused the transaction: ") + string.Join("; ", failures.Take(ShownFailures).Select(Describe))
            + (failures.Count > ShownFailures ? string.Create(CultureInfo.InvariantCulture, $"; and {failures.Count - ShownFailures} more") : ""));

    private static string Describe(NftFailure failure)
    {
        if (failure.IsOwnCheck) return $"{failure.Operation}: {failure.KernelMessage}";
        var reason = Errno.Name(failure.Errno) + (failure.KernelMessage is { } message ? $" ({message})" : "");
        if (failure.OperationIndex >= 0) return $"{failure.Operation}: {reason}";
        return failure.Errno == Errno.Restart ? $"the ruleset was changed by someone else: {reason}" : reason;
    }
}
