using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary>Reads strings through a <see cref="StringCache"/>.</summary>
internal sealed class PooledStringConverter(StringCache cache) : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw new FieldException($"expected a string, found {Describe(reader.TokenType)}");
        return ReadShared(ref reader);
    }

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ReadShared(ref reader);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value);

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);

    private string ReadShared(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.HasValueSequence || reader.ValueIsEscaped ? reader.GetString()! : cache.Get(reader.ValueSpan);
        }
        catch (Exception e) when (e is InvalidOperationException or DecoderFallbackException)
        {
            throw new FieldException("the string is not valid Unicode", e);
        }
    }

    private static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        JsonTokenType.StartArray => "a list",
        _ => "an object",
    };
}

/// <summary>A field whose value cannot be used, with a message of ours; the serializer adds the path.</summary>
internal sealed class FieldException : JsonException
{
    public FieldException(string message, Exception? innerException = null) : base(message, innerException) { }

    public FieldException() { }

    public FieldException(string message) : base(message) { }
}
