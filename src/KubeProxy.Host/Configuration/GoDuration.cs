using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeProxy.Host.Configuration;

/// <summary>A duration as Kubernetes writes it: <c>30s</c>, <c>1h2m3.5s</c>, <c>-1ms</c>. About 292 years either way.</summary>
/// <param name="Nanoseconds">The duration in nanoseconds.</param>
[JsonConverter(typeof(GoDurationJsonConverter))]
public readonly record struct GoDuration(long Nanoseconds) : IComparable<GoDuration>
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, long Nanoseconds)[] Units =
    [
        ("ns", 1), ("us", 1_000), ("\u00b5s", 1_000), ("\u03bcs", 1_000), ("ms", 1_000_000),
        ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ];

    /// <summary>No time.</summary>
    public static GoDuration Zero => default;

    /// <summary>The nearest <see cref="TimeSpan"/>; it has a resolution of 100 ns.</summary>
    public TimeSpan TimeSpan => TimeSpan.FromTicks(Nanoseconds / 100);

    /// <summary>Whole seconds, towards zero.</summary>
    public long Seconds => Nanoseconds / 1_000_000_000;

    /// <summary>Makes a duration of so many seconds.</summary>
    public static GoDuration FromSeconds(long seconds) => new(checked(seconds * 1_000_000_000));

    /// <summary>Parses decimal numbers with a unit each (ns, us, ms, s, m, h), with an optional sign; or <c>0</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out GoDuration duration)
    {
        duration = default;
        if (string.IsNullOrEmpty(text)) return false;
        var negative = text[0] == '-';
        var rest = text.AsSpan(text[0] is '-' or '+' ? 1 : 0);
        if (rest is "0") return true;
        if (rest.IsEmpty) return false;
        var total = 0m;
        while (!rest.IsEmpty)
        {
            if (!TryTakeTerm(ref rest, out var term)) return false;
            total += term;
            if (total > long.MaxValue) return false;
        }

        duration = new GoDuration((long)(negative ? -total : total));
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(GoDuration other) => Nanoseconds.CompareTo(other.Nanoseconds);

    /// <summary>The text as Kubernetes writes it: <c>24h0m0s</c>, <c>1m30s</c>, <c>500ms</c>, <c>0s</c>.</summary>
    public override string ToString()
    {
        if (Nanoseconds == 0) return "0s";
        var size = (UInt128)(Int128.Abs(Nanoseconds));
        var text = new StringBuilder(Nanoseconds < 0 ? "-" : "");
        if (size < 1_000) return text.Append(CultureInfo.InvariantCulture, $"{size}ns").ToString();
        if (size < 1_000_000) return text.Append(Decimal((decimal)size / 1_000)).Append("\u00b5s").ToString();
        if (size < 1_000_000_000) return text.Append(Decimal((decimal)size / 1_000_000)).Append("ms").ToString();
        var minutes = size / 60_000_000_000;
        if (minutes >= 60) text.Append(CultureInfo.InvariantCulture, $"{minutes / 60}h");
        if (minutes > 0) text.Append(CultureInfo.InvariantCulture, $"{minutes % 60}m");
        return text.Append(Decimal((decimal)(size % 60_000_000_000) / 1_000_000_000)).Append('s').ToString();
    }

    /// <summary>Compares lengths.</summary>
    public static bool operator <(GoDuration left, GoDuration right) => left.Nanoseconds < right.Nanoseconds;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(GoDuration left, GoDuration right) => left.Nanoseconds > right.Nanoseconds;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(GoDuration left, GoDuration right) => left.Nanoseconds <= right.Nanoseconds;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(GoDuration left, GoDuration right) => left.Nanoseconds >= right.Nanoseconds;

    private static string Decimal(decimal value) => value.ToString("0.#########", CultureInfo.InvariantCulture);

    private static bool TryTakeTerm(ref ReadOnlySpan<char> rest, out decimal nanoseconds)
    {
        nanoseconds = 0;
        var length = rest.IndexOfAnyExcept(NumberCharacters);
        if (length is < 1 or > 25) return false;
        const NumberStyles Style = NumberStyles.AllowDecimalPoint;
        if (!decimal.TryParse(rest[..length], Style, CultureInfo.InvariantCulture, out var number)) return false;
        rest = rest[length..];
        var unitLength = rest.IndexOfAny(NumberCharacters);
        var unit = unitLength < 0 ? rest : rest[..unitLength];
        foreach (var (name, factor) in Units)
        {
            if (!unit.SequenceEqual(name)) continue;
            rest = rest[unit.Length..];
            if (number > long.MaxValue / (decimal)factor) return false;
            nanoseconds = decimal.Truncate(number * factor);
            return true;
        }

        return false;
    }
}

/// <summary>Reads and writes a <see cref="GoDuration"/> as a JSON string.</summary>
internal sealed class GoDurationJsonConverter : JsonConverter<GoDuration>
{
    public override GoDuration Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && GoDuration.TryParse(reader.GetString(), out var duration)
            ? duration
            : throw new JsonException("expected a duration such as \"30s\", \"1m30s\" or \"500ms\"");

    public override void Write(Utf8JsonWriter writer, GoDuration value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <summary>As <see cref="GoDurationJsonConverter"/>, but a number is accepted as nanoseconds too.</summary>
internal sealed class GoDurationOrNanosecondsJsonConverter : JsonConverter<GoDuration>
{
    private static readonly GoDurationJsonConverter Text = new();

    public override GoDuration Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var nanoseconds)
            ? new GoDuration(nanoseconds)
            : Text.Read(ref reader, typeToConvert, options);

    public override void Write(Utf8JsonWriter writer, GoDuration value, JsonSerializerOptions options) =>
        Text.Write(writer, value, options);
}
