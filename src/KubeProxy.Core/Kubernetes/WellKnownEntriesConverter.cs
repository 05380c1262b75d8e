using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary>
/// Reads labels and annotations, but only those in <see cref="WellKnownNames"/>: an annotation with the whole object in it
/// (kubectl's) costs nothing then.
/// </summary>
internal sealed class WellKnownEntriesConverter(PooledStringConverter strings) : JsonConverter<Dictionary<string, string?>>
{
    public override Dictionary<string, string?>? Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("is not an object");
        Dictionary<string, string?>? result = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = NameOf(ref reader);
            reader.Read();
            if (name is null) reader.Skip();
            else (result ??= new(1, StringComparer.Ordinal))[name] = reader.TokenType == JsonTokenType.Null ? null
                : strings.Read(ref reader, typeof(string), options);
        }

        return result;
    }

    public override void Write(Utf8JsonWriter writer, Dictionary<string, string?> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value) writer.WriteString(name, text);
        writer.WriteEndObject();
    }

    private static string? NameOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped && !reader.HasValueSequence) return WellKnownEntries.NameOf(reader.ValueSpan);
        foreach (var name in WellKnownEntries.All)
        {
            if (reader.ValueTextEquals(name)) return name;
        }

        return null;
    }
}

/// <summary>The names of labels and annotations that a proxy looks at, for readers of wire formats.</summary>
public static class WellKnownEntries
{
    private static readonly (byte[] Utf8, string Name)[] Known = [.. Names().Select(name => (Encoding.UTF8.GetBytes(name), name))];

    /// <summary>All of them.</summary>
    public static IEnumerable<string> All => Known.Select(entry => entry.Name);

    /// <summary>The name, shared; null for one without a meaning.</summary>
    public static string? NameOf(ReadOnlySpan<byte> utf8)
    {
        foreach (var (known, name) in Known)
        {
            if (utf8.SequenceEqual(known)) return name;
        }

        return null;
    }

    private static string[] Names() =>
    [
        WellKnownNames.ServiceProxyNameLabel,
        WellKnownNames.HeadlessLabel,
        WellKnownNames.ServiceNameLabel,
        WellKnownNames.ZoneLabel,
        WellKnownNames.LastChangeTriggerTimeAnnotation,
        WellKnownNames.SchedulerAnnotation,
    ];
}
