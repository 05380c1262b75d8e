using System.Text.Json;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Kubernetes.Api.Json;

/// <summary>
/// The identity of an object: all that a deletion or a bookmark needs, and all that can be had of an object that is malformed.
/// </summary>
internal readonly record struct ObjectHead(string Name, string Namespace, string? ResourceVersion, bool InitialEventsEnd)
{
    private const string InitialEventsEndAnnotation = "k8s.io/initial-events-end";

    public NamespacedName NameAs(ObjectKind kind) => new(kind.IsNamespaced() ? Namespace : "", Name);

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
            var isEnd = reader.ValueTextEquals(InitialEventsEndAnnotation);
            reader.Read();
            if (isEnd && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("true"u8))
                head = head with { InitialEventsEnd = true };
            reader.Skip();
        }
    }
}
