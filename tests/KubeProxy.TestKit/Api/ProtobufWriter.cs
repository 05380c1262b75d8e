using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeProxy.TestKit.Api;

/// <summary>Encodes JSON as protobuf, the way an API server does.</summary>
public static class ProtobufWriter
{
    /// <summary>The object of a kind, without an envelope.</summary>
    public static byte[] Encode(string kind, JsonObject value) => Encode(ProtobufSchema.OfKind(kind), value);

    /// <summary>A Status, without an envelope.</summary>
    public static byte[] EncodeStatus(JsonObject status) => Encode(ProtobufSchema.Status, status);

    /// <summary>An object that stands alone.</summary>
    public static byte[] Wrap(string apiVersion, string kind, ReadOnlySpan<byte> value) =>
        [.. BeginEnvelope(apiVersion, kind, value.Length), .. value, .. EndEnvelope()];

    /// <summary>What comes before an object of so many bytes that stands alone.</summary>
    public static byte[] BeginEnvelope(string apiVersion, string kind, long length)
    {
        var type = Encode(ProtobufSchema.EnvelopeType, new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind });
        return [.. "k8s\0"u8, .. Field(1, type), .. Head(2, length)];
    }

    /// <summary>What comes after it: neither is it compressed, nor of a type of its own.</summary>
    public static byte[] EndEnvelope() => [.. Field(3, []), .. Field(4, [])];

    /// <summary>The frame of an event of a watch.</summary>
    /// <param name="type">ADDED and so on.</param>
    /// <param name="wrapped">The object, in its envelope.</param>
    public static byte[] Frame(string type, ReadOnlySpan<byte> wrapped)
    {
        byte[] message = [.. Field(1, Encoding.UTF8.GetBytes(type)), .. Field(2, Field(1, wrapped))];
        var length = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(length, (uint)message.Length);
        return [.. length, .. message];
    }

    /// <summary>A field with bytes: a text or a message.</summary>
    public static byte[] Field(int number, ReadOnlySpan<byte> value) => [.. Head(number, value.Length), .. value];

    /// <summary>A field with a number.</summary>
    public static byte[] Field(int number, long value) => [.. Varint((ulong)number << 3), .. Varint((ulong)value)];

    /// <summary>What comes before the bytes of a field.</summary>
    public static byte[] Head(int number, long length) => [.. Varint(((ulong)number << 3) | 2), .. Varint((ulong)length)];

    internal static byte[] Encode(ProtobufMessage message, JsonObject? value)
    {
        var unknown = value?.Select(member => member.Key).Except(message.Fields.Select(field => field.Name)).Except(["kind", "apiVersion"]).FirstOrDefault();
        if (unknown is not null) throw new ArgumentException($"the schema does not have the field {unknown}");
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var field in message.Fields) Write(bytes, field, value?[field.Name]);
        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(ArrayBufferWriter<byte> bytes, ProtobufField field, JsonNode? value)
    {
        if (field.Kind == FieldKind.Map)
        {
            foreach (var (key, text) in value?.AsObject() ?? []) bytes.Write(Field(field.Number, [.. Field(1, Utf8(key)), .. Field(2, Utf8(text!.GetValue<string>()))]));
        }
        else if (field.IsRepeated)
        {
            foreach (var item in value?.AsArray() ?? []) WriteOne(bytes, field, item);
        }
        else if (value is not null || !field.IsOptional)
        {
            WriteOne(bytes, field, value);
        }
    }

    private static void WriteOne(ArrayBufferWriter<byte> bytes, ProtobufField field, JsonNode? value) => bytes.Write(field.Kind switch
    {
        FieldKind.Text => Field(field.Number, Utf8(value?.GetValue<string>() ?? "")),
        FieldKind.Number => Field(field.Number, NumberOf(value)),
        FieldKind.Flag => Field(field.Number, value?.GetValue<bool>() == true ? 1 : 0),
        FieldKind.Message => Field(field.Number, Encode(field.Of!, value?.AsObject())),
        FieldKind.Time => Field(field.Number, value is null ? [] : [.. Field(1, SecondsOf(value)), .. Field(2, 0)]),
        FieldKind.RawJson => Field(field.Number, Field(1, Utf8(value?.ToJsonString() ?? "{}"))),
        _ => Field(field.Number, IntOrString(value)),
    });

    private static byte[] IntOrString(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String
        ? [.. Field(1, 1), .. Field(2, 0), .. Field(3, Utf8(value.GetValue<string>()))]
        : [.. Field(1, 0), .. Field(2, NumberOf(value)), .. Field(3, [])];

    // A node that was made of an int cannot be read as a long.
    private static long NumberOf(JsonNode? value) => value is null ? 0 : long.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static long SecondsOf(JsonNode value) => DateTimeOffset.Parse(value.GetValue<string>(), CultureInfo.InvariantCulture).ToUnixTimeSeconds();

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Varint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var length = 0;
        for (; value > 0x7f; value >>= 7) bytes[length++] = (byte)(value | 0x80);
        bytes[length++] = (byte)value;
        return bytes[..length].ToArray();
    }
}
