namespace KubeProxy.Netlink;

/// <summary>The kernel's refusal of one message.</summary>
/// <param name="MessageIndex">Which message, as returned by <see cref="NlMsgWriter.BeginMessage"/>.</param>
/// <param name="Errno">The errno, positive.</param>
/// <param name="Extended">What else the kernel said; null for nothing.</param>
public readonly record struct NetlinkMessageError(int MessageIndex, int Errno, NlExtendedAck? Extended)
{
    /// <summary>The error as an exception.</summary>
    public NetlinkException ToException(string operation) => new(operation, Errno, Extended);
}

/// <summary>What became of the messages that were sent together.</summary>
/// <param name="Errors">The refused messages, by index; a message may occur more than once.</param>
/// <param name="Messages">Messages sent.</param>
/// <param name="Bytes">Bytes sent.</param>
public sealed record NetlinkBatchResult(IReadOnlyList<NetlinkMessageError> Errors, int Messages, long Bytes)
{
    /// <summary>There were more refusals than the receive buffer could hold: <see cref="Errors"/> has only some of them.</summary>
    public bool IsIncomplete { get; init; }

    /// <summary>Whether no message was refused.</summary>
    public bool Succeeded => Errors.Count == 0;
}

/// <summary>What a <see cref="NetlinkChannel"/> has sent so far.</summary>
/// <param name="Datagrams">Datagrams of all kinds.</param>
/// <param name="Messages">Messages of all kinds.</param>
/// <param name="Bytes">Bytes of all kinds.</param>
/// <param name="WriteMessages">Messages other than those of <see cref="NetlinkChannel.DumpAsync"/>, <see cref="NetlinkChannel.GetAsync"/> and <see cref="NetlinkChannel.GetManyAsync"/>.</param>
public readonly record struct NetlinkCounters(long Datagrams, long Messages, long Bytes, long WriteMessages);
