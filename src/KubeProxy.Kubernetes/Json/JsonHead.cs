using System.Text.Json;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Json;

/// <summary>Finds the identity of an object in its JSON, even if nothing else of it can be read.</summary>
internal static class JsonHead
{
    /// <summary>Reads as far as the text is JSON; never throws because of its content.</summary>
    public static ObjectHead Read(ReadOnlySpan<byte> utf8)
    {
        var head = new ObjectHead("", "", null, false);
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return head;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMetadata = reader.ValueTextEquals("metadata"u8);
                reader.Read();
                if (isMetadata && reader.TokenType == JsonTokenType.StartObject) ReadMetadata(ref reader, ref head);
                else reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What came before counts.
        }

        return head;
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, ref ObjectHead head)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isName = reader.ValueTextEquals("name"u8);
            var isNamespace = reader.ValueTextEquals("namespace"u8);
            var isVersion = reader.ValueTextEquals("resourceVersion"u8);
            var isAnnotations = reader.ValueTextEquals("annotations"u8);
            reader.Read();
            var text =
                reader.TokenType == JsonTokenType.String && (isName || isNamespace || isVersion) ? reader.GetString() : null;
            if (isName) head = head with { Name = text ?? "" };
            else if (isNamespace) head = head with { Namespace = text ?? "" };
            else if (isVersion) head = head with { ResourceVersion = text };
            if (isAnnotations && reader.TokenType == JsonTokenType.StartObject) ReadAnnotations(ref reader, ref head);
            else reader.Skip();
        }
    }

    private static void ReadAnnotations(ref Utf8JsonReader reader, ref ObjectHead head)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isEnd = reader.ValueTextEquals(ObjectHead.InitialEventsEndAnnotation);
            reader.Read();
            if (isEnd && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("true"u8))
                head = head with { InitialEventsEnd = true };
            reader.Skip();
        }
    }
}
