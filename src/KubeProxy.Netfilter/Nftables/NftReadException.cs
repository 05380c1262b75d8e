using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>Reading the ruleset failed.</summary>
public sealed class NftReadException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="operation">What was read, as an nft command.</param>
    /// <param name="errno">The errno, a positive number; 0 when the answer made no sense.</param>
    /// <param name="message">The text.</param>
    /// <param name="innerException">The cause; null for none.</param>
    public NftReadException(string operation, int errno, string message, Exception? innerException = null)
        : base(message, innerException) => (Operation, Errno) = (operation, errno);

    /// <summary>What was read, as an nft command.</summary>
    public string Operation { get; }

    /// <summary>The errno, a positive number such as 2 for ENOENT; 0 when the answer made no sense.</summary>
    public int Errno { get; }

    internal static NftReadException NotFound(string operation) => Of(operation, Netlink.Errno.NoSuchEntry);

    internal static NftReadException Of(string operation, int errno, Exception? innerException = null) =>
        new(operation, errno, $"{operation}: {Netlink.Errno.Name(errno)}", innerException);
}
