using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeProxy.Host.Configuration;

/// <summary>A Kubernetes quantity of bytes, for example <c>64Ki</c> or <c>1M</c>; a whole number not below 0.</summary>
/// <param name="Value">The bytes.</param>
[JsonConverter(typeof(QuantityJsonConverter))]
public readonly record struct Quantity(long Value)
{
    private static readonly (string Suffix, long Factor)[] Suffixes =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("Pi", 1L << 50), ("Ei", 1L << 60),
        ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("P", 1_000_000_000_000_000),
    ];

    /// <summary>Parses digits and an optional suffix (k, M, G, T, P, Ki, Mi, Gi, Ti, Pi, Ei).</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Quantity quantity)
    {
        quantity = default;
        if (text is null) return false;
        var factor = 1L;
        foreach (var (suffix, size) in Suffixes)
        {
            if (!text.EndsWith(suffix, StringComparison.Ordinal)) continue;
            (text, factor) = (text[..^suffix.Length], size);
            break;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        if (number > long.MaxValue / factor) return false;
        quantity = new Quantity(number * factor);
        return true;
    }

    /// <summary>The text with the largest binary suffix that fits.</summary>
    public override string ToString()
    {
        var value = Value;
        for (var i = 5; i >= 0 && value != 0; i--)
            if (value % Suffixes[i].Factor == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{value / Suffixes[i].Factor}{Suffixes[i].Suffix}");
        return value.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>Reads a <see cref="Quantity"/> from a JSON string or number, writes a string.</summary>
internal sealed class QuantityJsonConverter : JsonConverter<Quantity>
{
    public override Quantity Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetInt64(out var number) && number >= 0 => new Quantity(number),
        JsonTokenType.String when Quantity.TryParse(reader.GetString(), out var quantity) => quantity,
        _ => throw new JsonException("expected a quantity such as \"64Ki\" or 0"),
    };

    public override void Write(Utf8JsonWriter writer, Quantity value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
