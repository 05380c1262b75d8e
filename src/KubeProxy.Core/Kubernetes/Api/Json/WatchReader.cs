using System.Text.Json;

namespace KubeProxy.Core.Kubernetes.Api.Json;

/// <summary><c>type</c> of a watch event.</summary>
internal enum WatchEventType
{
    Unknown,
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

/// <summary>Takes an event; the bytes of its object are valid during the call.</summary>
internal delegate void WatchEventHandler(WatchEventType type, ReadOnlySpan<byte> utf8);

/// <summary>Reads the response to a watch request, event by event.</summary>
internal sealed class WatchReader(JsonValueStream stream)
{
    /// <summary>Waits for the next event and hands it over; false when the server has ended the watch.</summary>
    /// <exception cref="ApiRequestException">What comes is no event, or the connection broke or is silent.</exception>
    public async ValueTask<bool> ReadAsync(WatchEventHandler onEvent)
    {
        if (await stream.PeekAsync() < 0) return false;
        using var bytes = new ContiguousBytes(await stream.ReadValueAsync());
        Hand(bytes.Span, onEvent);
        return true;
    }

    private static void Hand(ReadOnlySpan<byte> frame, WatchEventHandler onEvent)
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

        onEvent(type, frame[from..to]);
    }

    private static WatchEventType TypeOf(ref Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.String ? WatchEventType.Unknown
        : reader.ValueTextEquals("ADDED"u8) ? WatchEventType.Added
        : reader.ValueTextEquals("MODIFIED"u8) ? WatchEventType.Modified
        : reader.ValueTextEquals("DELETED"u8) ? WatchEventType.Deleted
        : reader.ValueTextEquals("BOOKMARK"u8) ? WatchEventType.Bookmark
        : reader.ValueTextEquals("ERROR"u8) ? WatchEventType.Error
        : WatchEventType.Unknown;
}
