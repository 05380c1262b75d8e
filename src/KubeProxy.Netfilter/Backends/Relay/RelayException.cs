using System.Globalization;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>A relay cannot be started.</summary>
/// <param name="operation">What was attempted.</param>
/// <param name="errno">What the kernel said, as a positive number.</param>
public sealed class RelayException(string operation, int errno)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"Cannot {operation}: {KubeProxy.Netlink.Errno.Name(errno)}."))
{
    /// <summary>What was attempted.</summary>
    public string Operation { get; } = operation;

    /// <summary>What the kernel said, as a positive number.</summary>
    public int Errno { get; } = errno;
}
