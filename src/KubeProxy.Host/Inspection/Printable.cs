using System.Globalization;
using System.Text;

namespace KubeProxy.Host.Inspection;

/// <summary>
/// Text that objects have a say in, for a terminal: what would move the cursor, change colours or turn the direction of writing is shown as
/// <c>\u001b</c>.
/// </summary>
internal static class Printable
{
    /// <summary>One line.</summary>
    public static string Line(string text) => Escape(text, isAllowed: _ => false);

    /// <summary>Several lines; tabs stay.</summary>
    public static string Lines(string text) => Escape(text, isAllowed: c => c is '\n' or '\t');

    private static string Escape(string text, Func<char, bool> isAllowed)
    {
        if (!text.Any(c => IsHarmful(c) && !isAllowed(c))) return text;
        var result = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (IsHarmful(c) && !isAllowed(c)) result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else result.Append(c);
        }

        return result.ToString();
    }

    private static bool IsHarmful(char c) => char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
