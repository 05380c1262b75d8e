using System.Text;

namespace KubeProxy.Core.Model;

/// <summary>Names of network interfaces as Linux has them (<c>IFNAMSIZ</c> in linux/if.h, <c>dev_valid_name</c> in net/core/dev.c).</summary>
public static class InterfaceName
{
    /// <summary>The most bytes of a name, in UTF-8.</summary>
    public const int MaxLength = 15;

    /// <summary>Why no interface can have a name that is, or begins with, the text; null when one can.</summary>
    public static string? Problem(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length == 0) return "must not be empty";
        var length = Encoding.UTF8.GetByteCount(text);
        if (length > MaxLength) return $"has {length} bytes, and names of interfaces have at most {MaxLength}";
        foreach (var character in text)
            if (character is '/' or ':' or '\0' || char.IsWhiteSpace(character)) return "holds a character that names of interfaces cannot have ('/', ':', white space)";
        return null;
    }
}
