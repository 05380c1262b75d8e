using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nfacct;

/// <summary>Accounting objects over nfnetlink_acct (linux/netfilter/nfnetlink_acct.h). Thread-safe.</summary>
public sealed class AccountingClient : IAccounting
{
    private const byte New = 0; // NFNL_MSG_ACCT_NEW
    private const byte Get = 1; // NFNL_MSG_ACCT_GET
    private const byte Del = 3; // NFNL_MSG_ACCT_DEL
    private const int Busy = 16; // EBUSY: it exists. Older kernels say EEXIST.
    private const int Exists = 17; // EEXIST

    private readonly NetlinkChannel _channel;

    /// <summary>Takes over the channel, and disposes it with itself.</summary>
    public AccountingClient(NetlinkChannel channel) => _channel = channel;

    private enum AccountingAttribute : ushort
    {
        Name = 1, // NFACCT_NAME
        Packets = 2, // NFACCT_PKTS
        Bytes = 3, // NFACCT_BYTES
    }

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <exception cref="NetlinkException">The kernel has no nfnetlink.</exception>
    public static AccountingClient Open() => new(NetlinkChannel.Open(NetlinkProtocol.Netfilter));

    /// <inheritdoc/>
    public async Task<bool> EnsureAsync(string name, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        request.BeginMessage(NfSubsystem.Accounting, New, NlMsgFlags.Create, 0);
        request.PutString(AccountingAttribute.Name, name);
        try
        {
            await _channel.ExecuteAsync($"make accounting object {name}", request, cancellationToken);
            return true;
        }
        catch (NetlinkException e) when (e.Errno is Busy or Exists)
        {
            return true;
        }
        catch (NetlinkException e) when (e.Errno is Errno.InvalidArgument or Errno.NotSupported)
        {
            return false; // No such subsystem.
        }
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name); // Without a name it would be all of them.
        using var request = new NlMsgWriter();
        request.BeginMessage(NfSubsystem.Accounting, Del, NlMsgFlags.None, 0);
        request.PutString(AccountingAttribute.Name, name);
        try
        {
            await _channel.ExecuteAsync($"delete accounting object {name}", request, cancellationToken);
            return true;
        }
        catch (NetlinkException e) when (e.Errno is Errno.NoSuchEntry or Errno.InvalidArgument or Errno.NotSupported)
        {
            return false; // No such object, or no such subsystem.
        }
    }

    /// <inheritdoc/>
    public async Task<AccountingCounter?> ReadAsync(string name, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        request.BeginMessage(NfSubsystem.Accounting, Get, NlMsgFlags.None, 0);
        request.PutString(AccountingAttribute.Name, name);
        AccountingCounter? found = null;
        try
        {
            await _channel.GetAsync($"read accounting object {name}", request, message => found = Decode(message), cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return null;
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static AccountingCounter Decode(NlMessage message)
    {
        ulong packets = 0, bytes = 0;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<AccountingAttribute>())
            {
                case AccountingAttribute.Packets: packets = attribute.U64BigEndian(); break;
                case AccountingAttribute.Bytes: bytes = attribute.U64BigEndian(); break;
            }
        }

        return new AccountingCounter(packets, bytes);
    }
}
