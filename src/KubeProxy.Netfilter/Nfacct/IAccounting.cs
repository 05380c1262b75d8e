namespace KubeProxy.Netfilter.Nfacct;

/// <summary>What an accounting object counted since it was made.</summary>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes.</param>
public readonly record struct AccountingCounter(ulong Packets, ulong Bytes);

/// <summary>Accounting objects of the kernel: named counters that rules count in.</summary>
public interface IAccounting : IDisposable
{
    /// <summary>Makes the object unless it exists.</summary>
    /// <param name="name">1 to 31 bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when the kernel has no accounting objects (CONFIG_NETFILTER_NETLINK_ACCT).</returns>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel refused for another reason.</exception>
    Task<bool> EnsureAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Deletes the object.</summary>
    /// <returns>False when there is none of the name, or the kernel has no accounting objects.</returns>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel refused it, for example because a rule counts in it (EBUSY).</exception>
    Task<bool> DeleteAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>What the object counted; null when there is none of the name.</summary>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel refused it.</exception>
    Task<AccountingCounter?> ReadAsync(string name, CancellationToken cancellationToken = default);
}
