using System.Text.Json;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Json;

/// <summary>Reads the response to a watch request, event by event.</summary>
internal sealed class JsonWatchReader(JsonFormat format, JsonValueStream stream) : IWatchReader
{
    /// <inheritdoc/>
    public async ValueTask<bool> ReadAsync(WatchEventHandler onEvent)
    {
        if (await stream.PeekAsync() < 0) return false;
        using var bytes = new ContiguousBytes(await stream.ReadValueAsync());
        Hand(bytes.Span, onEvent);
        return true;
    }

    private void Hand(ReadOnlySpan<byte> frame, WatchEventHandler onEvent)
    {
        var type = WatchEventType.Unknown;
        var from = 0;
        var to = 0;
        try
        {
            var reader = new Utf8JsonReader(frame);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("it is not an object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                var isObject = reader.ValueTextEquals("object"u8);
                reader.Read();
                if (isType) type = TypeOf(ref reader);
                if (isObject) from = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isObject) to = (int)reader.BytesConsumed;
            }
        }
        catch (JsonException e)
        {
            throw ApiRequestException.Broken("an event of the watch is not valid: " + e.Message, e);
        }

        onEvent(type, new EncodedObject(format, frame[from..to]));
    }

    private static WatchEventType TypeOf(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? WatchEventTypes.Parse(reader.ValueSpan) : WatchEventType.Unknown;
}
