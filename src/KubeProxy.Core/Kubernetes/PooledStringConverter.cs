using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary>
/// Reads strings through a small, lossy cache: the same few node, zone, port and namespace names come with each of a hundred
/// thousand endpoints. Races between threads only cost a hit.
/// </summary>
internal sealed class PooledStringConverter : JsonConverter<string>
{
    private const int Slots = 4096;
    private const int MaxLength = 64;

    private readonly string?[] _slots = new string?[Slots];

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
        if (reader.HasValueSequence || reader.ValueIsEscaped || reader.ValueSpan.Length > MaxLength) return GetString(ref reader);
        ref var slot = ref _slots[SlotOf(reader.ValueSpan)];
        var cached = slot;
        if (cached is not null && reader.ValueTextEquals(cached)) return cached;
        return slot = GetString(ref reader);
    }

    private static string GetString(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new FieldException("the string is not valid Unicode", e);
        }
    }

    private static int SlotOf(ReadOnlySpan<byte> text)
    {
        var hash = 2166136261u;
        foreach (var value in text) hash = (hash ^ value) * 16777619u;
        return (int)(hash % Slots);
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
