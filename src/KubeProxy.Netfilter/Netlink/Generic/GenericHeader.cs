namespace KubeProxy.Netlink.Generic;

/// <summary><c>struct genlmsghdr</c> (linux/genetlink.h): the fixed part of every message of NETLINK_GENERIC.</summary>
/// <param name="Command">The command, a number of the family.</param>
/// <param name="Version">The version of the family's interface that the sender speaks.</param>
public readonly record struct GenericHeader(byte Command, byte Version)
{
    /// <summary>The length in bytes.</summary>
    public const int Size = 4; // GENL_HDRLEN

    // | command u8 | version u8 | reserved u16 |
    /// <summary>Reads it from a message.</summary>
    /// <exception cref="NetlinkFormatException">The message is too short.</exception>
    public static GenericHeader Read(NlMessage message)
    {
        var body = message.Fixed(Size);
        return new GenericHeader(body[0], body[1]);
    }
}
