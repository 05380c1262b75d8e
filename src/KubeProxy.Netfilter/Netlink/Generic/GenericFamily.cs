namespace KubeProxy.Netlink.Generic;

/// <summary>A family of generic netlink. Its id differs from kernel to kernel, so it has to be asked for by name.</summary>
/// <param name="Name">The name, for example <c>IPVS</c>.</param>
/// <param name="Id">The type of its messages, from <see cref="NlMsgHeader.FirstProtocolType"/> on.</param>
/// <param name="Version">The version of its interface that the kernel speaks.</param>
public sealed record GenericFamily(string Name, ushort Id, byte Version)
{
    private const int MaxNameLength = 15; // GENL_NAMSIZ with the zero

    // The family that tells about families has a fixed id.
    private static readonly GenericFamily Control = new("nlctrl", 0x10 /* GENL_ID_CTRL */, 2);

    private enum ControlCommand : byte
    {
        GetFamily = 3, // CTRL_CMD_GETFAMILY
    }

    private enum ControlAttribute : ushort
    {
        FamilyId = 1, // CTRL_ATTR_FAMILY_ID
        FamilyName = 2, // CTRL_ATTR_FAMILY_NAME
        Version = 3, // CTRL_ATTR_VERSION
    }

    /// <summary>Asks the kernel for a family. A kernel with modules loads the one that has the family.</summary>
    /// <param name="channel">A channel of <see cref="NetlinkProtocol.Generic"/>.</param>
    /// <param name="name">The name, 1 to 15 bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NetlinkException">ENOENT: the kernel has no such family.</exception>
    public static async Task<GenericFamily> ResolveAsync(NetlinkChannel channel, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(channel);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, MaxNameLength, nameof(name));
        var operation = $"find generic netlink family {name}";
        using var request = new NlMsgWriter();
        request.BeginMessage(Control, (byte)ControlCommand.GetFamily);
        request.PutString(ControlAttribute.FamilyName, name);
        GenericFamily? family = null;
        await channel.GetAsync(operation, request, message => family = Read(message, name) ?? family, cancellationToken);
        return family ?? throw new NetlinkException(operation, Errno.NoSuchEntry);
    }

    /// <summary>Reads what the kernel says about a family.</summary>
    /// <returns>Null when the message is of another kind or about another family.</returns>
    /// <exception cref="NetlinkFormatException">The message is malformed.</exception>
    internal static GenericFamily? Read(NlMessage message, string name)
    {
        if (message.Header.Type != Control.Id) return null;
        ushort? id = null;
        byte version = 1;
        var isMeant = false;
        foreach (var attribute in message.Attributes(GenericHeader.Size))
        {
            switch (attribute.As<ControlAttribute>())
            {
                case ControlAttribute.FamilyId: id = attribute.U16(); break;
                case ControlAttribute.FamilyName: isMeant = attribute.Text() == name; break;
                case ControlAttribute.Version: version = (byte)attribute.U32(); break;
            }
        }

        if (!isMeant) return null;
        if (id is null or < NlMsgHeader.FirstProtocolType) throw new NetlinkFormatException($"Generic netlink family {name} has no valid id.");
        return new GenericFamily(name, id.Value, version);
    }
}
