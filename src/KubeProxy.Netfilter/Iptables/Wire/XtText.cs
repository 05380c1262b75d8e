using System.Text;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Fixed-size strings in extension structs: ended by a zero, the rest zeros.</summary>
internal static class XtText
{
    /// <exception cref="ArgumentException">Too long, or with a zero in it.</exception>
    public static void Write(Span<byte> field, string text)
    {
        if (Encoding.UTF8.GetByteCount(text) >= field.Length || text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"'{text}' has more than {field.Length - 1} bytes or a zero in it.", nameof(text));
        Encoding.UTF8.GetBytes(text, field);
    }

    /// <summary>The text; null when it is not ended by a zero or is not UTF-8 that would be written the same.</summary>
    public static string? Read(ReadOnlySpan<byte> field)
    {
        var length = field.IndexOf((byte)0);
        if (length <= 0) return null;
        var text = Encoding.UTF8.GetString(field[..length]);
        return Encoding.UTF8.GetByteCount(text) == length && !text.Contains('\uFFFD', StringComparison.Ordinal) ? text : null;
    }
}
