using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace KubeProxy.Host.Yaml;

/// <summary>
/// Gives plain scalars the types that Kubernetes' YAML reader gives them: YAML 1.1 booleans (<c>yes</c>, <c>on</c>),
/// integers in all of Go's bases with underscores, floats, and null. Everything else, and everything quoted, is a string.
/// </summary>
internal static class YamlScalar
{
    private static readonly SearchValues<char> FloatCharacters = SearchValues.Create("0123456789.eE+-");

    private const string CoreTag = "tag:yaml.org,2002:";

    /// <summary>Writes the scalar as a JSON value.</summary>
    /// <returns>False when the tag asks for a type that the text is not.</returns>
    public static bool TryWrite(Utf8JsonWriter writer, string text, bool isPlain, string? tag)
    {
        if (tag is null or "?")
        {
            if (isPlain) WriteResolved(writer, text);
            else writer.WriteStringValue(text);
            return true;
        }

        switch (tag)
        {
            case CoreTag + "null" when IsNull(text): writer.WriteNullValue(); return true;
            case CoreTag + "bool" when AsBoolean(text) is { } boolean: writer.WriteBooleanValue(boolean); return true;
            case CoreTag + "int": return TryWriteInteger(writer, text);
            case CoreTag + "float": return TryWriteFloat(writer, text) || TryWriteInteger(writer, text);
            case CoreTag + "null" or CoreTag + "bool": return false;
            default: writer.WriteStringValue(text); return true;
        }
    }

    private static void WriteResolved(Utf8JsonWriter writer, string text)
    {
        if (IsNull(text)) writer.WriteNullValue();
        else if (AsBoolean(text) is { } boolean) writer.WriteBooleanValue(boolean);
        else if (!LooksNumeric(text) || !(TryWriteInteger(writer, text) || TryWriteFloat(writer, text))) writer.WriteStringValue(text);
    }

    private static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    private static bool? AsBoolean(string text) => text switch
    {
        "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => true,
        "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => false,
        _ => null,
    };

    private static bool LooksNumeric(string text) => text[0] is (>= '0' and <= '9') or '+' or '-' or '.';

    private static bool TryWriteInteger(Utf8JsonWriter writer, string text)
    {
        var negative = text.StartsWith('-');
        var digits = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        if (digits.Length > 64 || !TryParseMagnitude(digits.Contains('_') ? digits.ToString().Replace("_", "", StringComparison.Ordinal) : digits, out var magnitude))
            return false;
        if (!negative) writer.WriteNumberValue(magnitude);
        else if (magnitude <= long.MaxValue) writer.WriteNumberValue(-(long)magnitude);
        else if (magnitude == 1UL + long.MaxValue) writer.WriteNumberValue(long.MinValue);
        else return false;
        return true;
    }

    private static bool TryParseMagnitude(ReadOnlySpan<char> digits, out ulong magnitude)
    {
        magnitude = 0;
        if (digits.Length < 2 || digits[0] != '0') return TryParseDigits(digits, 10, out magnitude);
        return char.ToLowerInvariant(digits[1]) switch
        {
            'x' => TryParseDigits(digits[2..], 16, out magnitude),
            'b' => TryParseDigits(digits[2..], 2, out magnitude),
            'o' => TryParseDigits(digits[2..], 8, out magnitude),
            _ => TryParseDigits(digits[1..], 8, out magnitude),
        };
    }

    private static bool TryParseDigits(ReadOnlySpan<char> digits, uint numberBase, out ulong magnitude)
    {
        magnitude = 0;
        foreach (var character in digits)
        {
            if (!char.IsAsciiHexDigit(character)) return false;
            var digit = (ulong)Convert.ToInt32(char.ToString(character), 16);
            if (digit >= numberBase || magnitude > (ulong.MaxValue - digit) / numberBase) return false;
            magnitude = (magnitude * numberBase) + digit;
        }

        return !digits.IsEmpty;
    }

    private static bool TryWriteFloat(Utf8JsonWriter writer, string text)
    {
        if (text.AsSpan().ContainsAnyExcept(FloatCharacters) || !text.AsSpan().ContainsAnyInRange('0', '9')) return false;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!double.TryParse(text, Style, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number)) return false;
        writer.WriteNumberValue(number);
        return true;
    }
}
