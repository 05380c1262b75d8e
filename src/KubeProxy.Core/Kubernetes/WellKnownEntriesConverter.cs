using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary>
/// Reads labels and annotations, but only those in <see cref="WellKnownNames"/>: an annotation with the whole object in it
/// (kubectl's) costs nothing then.
/// </summary>
internal sealed class WellKnownEntriesConverter(PooledStringConverter strings) : JsonConverter<Dictionary<string, string?>>
{
    private static readonly (byte[] Utf8, string Name)[] Known =
    [
        .. new[]
        {
            WellKnownNames.ServiceProxyNameLabel,
            WellKnownNames.HeadlessLabel,
            WellKnownNames.ServiceNameLabel,
            WellKnownNames.ZoneLabel,
            WellKnownNames.LastChangeTriggerTimeAnnotation,
            WellKnownNames.SchedulerAnnotation,
        }.Select(name => (System.Text.Encoding.UTF8.GetBytes(name), name)),
    ];

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
        foreach (var (utf8, name) in Known)
        {
            if (reader.ValueTextEquals(utf8)) return name;
        }

        return null;
    }
}
