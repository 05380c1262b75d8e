using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace KubeProxy.Host.Yaml;

/// <summary>Writes JSON values as block-style YAML that any YAML 1.1 or 1.2 reader reads back as the same values.</summary>
public static class YamlText
{
    private static readonly JsonSerializerOptions StringOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = JsonTypeInfoResolver.Combine(),
    };

    /// <summary>The value as YAML, with a newline at the end.</summary>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        WriteBlock(text, node, indent: 0, afterDash: true);
        return text.ToString().TrimStart('\n');
    }

    private static void WriteBlock(StringBuilder text, JsonNode? node, int indent, bool afterDash)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } mapping:
                WriteMapping(text, mapping, indent, afterDash);
                break;
            case JsonArray { Count: > 0 } sequence:
                foreach (var item in sequence)
                {
                    StartLine(text, indent, first: false);
                    text.Append('-').Append(' ');
                    WriteBlock(text, item, indent + 2, afterDash: true);
                }

                break;
            default:
                text.Append(Inline(node)).Append('\n');
                break;
        }
    }

    private static void WriteMapping(StringBuilder text, JsonObject mapping, int indent, bool afterDash)
    {
        var first = afterDash;
        foreach (var (key, value) in mapping)
        {
            StartLine(text, indent, first);
            first = false;
            text.Append(Scalar(key)).Append(':');
            var nested = value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 };
            if (!nested) text.Append(' ');
            WriteBlock(text, value, value is JsonArray ? indent : indent + 2, afterDash: false);
        }
    }

    private static void StartLine(StringBuilder text, int indent, bool first)
    {
        if (first) return;
        if (text.Length > 0 && text[^1] != '\n') text.Append('\n');
        text.Append(' ', indent);
    }

    private static string Inline(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Scalar(value.GetValue<string>()),
        _ => node.ToJsonString(StringOptions),
    };

    private static string Scalar(string value) => IsSafePlain(value) ? value : Quote(value);

    private static bool IsSafePlain(string value)
    {
        if (value.Length == 0 || !char.IsAsciiLetter(value[0])) return false;
        foreach (var character in value)
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_' or '.' or '/')) return false;
        return value.ToUpperInvariant() is not ("Y" or "N" or "YES" or "NO" or "ON" or "OFF" or "TRUE" or "FALSE" or "NULL");
    }

    private static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var character in value)
        {
            if (character is '"' or '\\') text.Append('\\').Append(character);
            else if (character is >= ' ' and <= '~') text.Append(character);
            else text.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture));
        }

        return text.Append('"').ToString();
    }
}
