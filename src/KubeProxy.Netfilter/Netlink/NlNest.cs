namespace KubeProxy.Netlink;

/// <summary>An open nested attribute of a <see cref="NlMsgWriter"/>; disposing it fills in its length.</summary>
public readonly ref struct NlNest
{
    private readonly NlMsgWriter _writer;
    private readonly int _start;
    private readonly ushort _attribute;

    internal NlNest(NlMsgWriter writer, int start, ushort attribute) => (_writer, _start, _attribute) = (writer, start, attribute);

    /// <summary>
    /// Bytes written so far with the 4 byte header. May not exceed <see cref="NlMsgWriter.MaxAttributeLength"/> at the end.
    /// </summary>
    public int Length => _writer.MessageLength - _start;

    /// <summary>Ends the attribute.</summary>
    /// <exception cref="NetlinkFormatException">It is too long.</exception>
    public void Dispose() => _writer.EndNested(_start, _attribute);
}
