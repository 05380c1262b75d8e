namespace KubeProxy.Netlink.Generic;

/// <summary>Messages of NETLINK_GENERIC.</summary>
public static class GenericMessages
{
    /// <summary>Begins a message of a family with its genlmsghdr.</summary>
    /// <param name="writer">The writer.</param>
    /// <param name="family">The family.</param>
    /// <param name="command">The command, a number of the family.</param>
    /// <param name="flags">Flags beyond those that the channel adds.</param>
    /// <returns>The index of the message.</returns>
    public static int BeginMessage(this NlMsgWriter writer, GenericFamily family, byte command, NlMsgFlags flags = NlMsgFlags.None)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(family);
        var index = writer.BeginMessage(family.Id, flags);
        var body = writer.ReserveBody(GenericHeader.Size);
        (body[0], body[1]) = (command, family.Version);
        return index;
    }
}
