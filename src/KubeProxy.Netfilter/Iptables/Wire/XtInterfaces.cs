namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Names of interfaces with masks of the bytes that count, as xtables has them.</summary>
internal static class XtInterfaces
{
    private const int NameSize = 16; // IFNAMSIZ

    /// <summary>The name; with a <c>+</c> at the end when it is a beginning. Null when the bytes are no name.</summary>
    public static string? Read(ReadOnlySpan<byte> info, int at, int maskAt)
    {
        var mask = info.Slice(maskAt, NameSize);
        return XtText.Read(info.Slice(at, NameSize)) is { } name && (mask[NameSize - 1] == 0 || mask.IndexOfAnyExcept((byte)0xFF) < 0) ? name : null;
    }

    /// <summary>A mask of the bytes of a beginning, without its <c>+</c>; or of the name and the zero behind it.</summary>
    /// <exception cref="ArgumentException">The name is too long.</exception>
    public static void Write(string name, Span<byte> info, int at, int maskAt)
    {
        info.Put(at, NameSize, name);
        var length = System.Text.Encoding.UTF8.GetByteCount(name);
        info.Slice(maskAt, name.EndsWith('+') ? length - 1 : length + 1).Fill(0xFF);
    }
}
