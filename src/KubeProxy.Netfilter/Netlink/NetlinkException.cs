using System.Globalization;

namespace KubeProxy.Netlink;

/// <summary>The kernel refused a request, or a system call on a netlink socket failed.</summary>
public class NetlinkException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="operation">What was attempted, as a noun phrase or infinitive for the message.</param>
    /// <param name="errno">The errno, positive.</param>
    /// <param name="extended">The extended acknowledgement, if there was one.</param>
    /// <param name="sequence">The sequence number of the request, 0 when there is none.</param>
    /// <param name="innerException">The cause.</param>
    public NetlinkException(
        string operation, int errno, NlExtendedAck? extended = null, uint sequence = 0, Exception? innerException = null)
        : base(Describe(operation, errno, extended), innerException) =>
        (Operation, Errno, Extended, Sequence) = (operation, errno, extended, sequence);

    /// <summary>Makes the exception with a message of its own.</summary>
    protected NetlinkException(string message, string operation, int errno, Exception? innerException)
        : base(message, innerException) => (Operation, Errno) = (operation, errno);

    /// <summary>What was attempted.</summary>
    public string Operation { get; }

    /// <summary>The errno, a positive number; see <see cref="Netlink.Errno"/>.</summary>
    public int Errno { get; }

    /// <summary>What else the kernel said; null when it said nothing.</summary>
    public NlExtendedAck? Extended { get; }

    /// <summary>The kernel's own text; null when it gave none.</summary>
    public string? KernelMessage => Extended?.Message;

    /// <summary>Where the offending attribute begins, in bytes from the start of the request; null when the kernel did not say.</summary>
    public int? AttributeOffset => Extended?.AttributeOffset;

    /// <summary>The sequence number of the request; 0 when there was none.</summary>
    public uint Sequence { get; }

    private static string Describe(string operation, int errno, NlExtendedAck? extended)
    {
        var text = $"{operation}: {Netlink.Errno.Name(errno)}";
        if (extended?.Message is { Length: > 0 } message) text += $": {message}";
        if (extended?.MissingAttribute is { } missing) text += string.Create(CultureInfo.InvariantCulture, $" (attribute {missing} is missing)");
        if (extended?.AttributeOffset is { } offset) text += string.Create(CultureInfo.InvariantCulture, $" (attribute at byte {offset})");
        return text;
    }
}

/// <summary>Bytes are not what the protocol says, or cannot be expressed in it.</summary>
public sealed class NetlinkFormatException(string message, Exception? innerException = null)
    : NetlinkException(message, "netlink message", Netlink.Errno.BadMessage, innerException);

/// <summary>
/// Answers were lost because the receive buffer was full (ENOBUFS), or none came: the kernel may have done what was asked,
/// or not. Read back and compare.
/// </summary>
public sealed class NetlinkOverrunException(string operation, Exception? innerException = null) : NetlinkException(
    $"{operation}: the kernel's answers were lost, the outcome is unknown (ENOBUFS)", operation, Netlink.Errno.NoBufferSpace, innerException);
