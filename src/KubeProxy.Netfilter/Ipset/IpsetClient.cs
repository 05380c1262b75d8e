using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Ipset;

/// <summary>
/// Names of ipsets, and their end (linux/netfilter/ipset/ip_set.h). What is in them is not read: this project has none of its own, and
/// removes those that others left. Thread-safe.
/// </summary>
public sealed class IpsetClient : IDisposable
{
    /// <summary>The most bytes of a name.</summary>
    public const int MaxNameLength = 31; // IPSET_MAXNAMELEN - 1

    private const byte Protocol = 6; // IPSET_PROTOCOL_MIN: what every kernel takes
    private const byte Destroy = 3; // IPSET_CMD_DESTROY
    private const byte List = 7; // IPSET_CMD_LIST
    private const uint NamesOnly = 1 << 1; // IPSET_FLAG_LIST_SETNAME

    private readonly NetlinkChannel _channel;

    /// <summary>Takes over the channel, and disposes it with itself.</summary>
    public IpsetClient(NetlinkChannel channel) => _channel = channel;

    private enum Attribute : ushort
    {
        Protocol = 1, // IPSET_ATTR_PROTOCOL
        SetName = 2, // IPSET_ATTR_SETNAME
        Flags = 6, // IPSET_ATTR_FLAGS
    }

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <exception cref="NetlinkException">The kernel has no nfnetlink.</exception>
    public static IpsetClient Open() => new(NetlinkChannel.Open(NetlinkProtocol.Netfilter));

    /// <summary>The names of all sets; none when the kernel has no ipsets (CONFIG_IP_SET).</summary>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public async Task<IReadOnlyList<string>> ListNamesAsync(CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        request.BeginMessage(NfSubsystem.IpSet, List, NlMsgFlags.Dump, 0);
        request.PutU8(Attribute.Protocol, Protocol);
        request.PutU32BigEndian(Attribute.Flags, NamesOnly);
        var names = new List<string>();
        try
        {
            await _channel.DumpAsync("list ipsets", request, message =>
            {
                if (DecodeName(message) is { } name) names.Add(name);
            }, names.Clear, cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno is Errno.InvalidArgument or Errno.NotSupported)
        {
            return []; // No such subsystem.
        }

        return names;
    }

    /// <summary>The name that an answer tells; null when it tells none.</summary>
    /// <exception cref="NetlinkFormatException">It is malformed.</exception>
    internal static string? DecodeName(NlMessage message) =>
        message.Attributes(NfGenMessage.Size).TryFind(Attribute.SetName, out var name) ? name.Text() : null;

    /// <summary>Destroys a set with what is in it.</summary>
    /// <returns>False when there is none of the name (any more).</returns>
    /// <exception cref="NetlinkException">The kernel refused it, for example because a rule refers to the set (IPSET_ERR_BUSY, 4101).</exception>
    public async Task<bool> DestroyAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name); // Without a name it would be all of them.
        using var request = new NlMsgWriter();
        request.BeginMessage(NfSubsystem.IpSet, Destroy, NlMsgFlags.None, 0);
        request.PutU8(Attribute.Protocol, Protocol);
        request.PutString(Attribute.SetName, name);
        try
        {
            await _channel.ExecuteAsync($"destroy ipset {name}", request, cancellationToken);
            return true;
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();
}
