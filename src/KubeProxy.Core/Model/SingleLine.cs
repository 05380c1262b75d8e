using System.Globalization;
using System.Text;

namespace KubeProxy.Core.Model;

/// <summary>Text from outside, such as a name in a manifest, in a line of its own making: nothing in it may begin another line or change how the line looks.</summary>
public static class SingleLine
{
    /// <summary>The text with control characters, other line ends and invisible formatting characters as escapes: <c>\n</c>, <c>\x1b</c>, <c>\u202e</c>. Tabs stay.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Any(MustBeEscaped)) return text;
        var line = new StringBuilder(text.Length + 16);
        foreach (var character in text)
        {
            if (!MustBeEscaped(character)) line.Append(character);
            else if (character == '\n') line.Append("\\n");
            else if (character <= 0xFF) line.Append(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}");
            else line.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
        }

        return line.ToString();
    }

    private static bool MustBeEscaped(char character) => character != '\t' && char.GetUnicodeCategory(character)
        is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Format;
}
