using System.Buffers;
using System.Buffers.Binary;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>
/// Reads the response to a watch request, event by event: four bytes with the length (big-endian), then the message
/// <c>WatchEvent</c> without an envelope, whose object has one.
/// </summary>
internal sealed class ProtobufWatchReader(ProtobufFormat format, ProtobufStream stream) : IWatchReader
{
    /// <inheritdoc/>
    public async ValueTask<bool> ReadAsync(WatchEventHandler onEvent)
    {
        if (await stream.IsAtEndAsync()) return false;
        var length = LengthOf(await stream.TakeAsync(sizeof(uint)));
        using var frame = new ContiguousBytes(await stream.TakeAsync(length));
        Hand(frame.Span, onEvent);
        return true;
    }

    private void Hand(ReadOnlySpan<byte> frame, WatchEventHandler onEvent)
    {
        var type = WatchEventType.Unknown;
        ReadOnlySpan<byte> value = default;
        try
        {
            var reader = format.Open(frame);
            while (reader.Next())
            {
                switch (reader.Field)
                {
                    case 1: type = WatchEventTypes.Parse(reader.Bytes("type")); break;
                    case 2: value = RawOf(reader.Bytes("object")); break;
                    default: reader.Skip(); break;
                }
            }

            value = format.Unwrap(value);
        }
        catch (ProtobufException e)
        {
            throw ApiRequestException.Broken("an event of the watch is not valid: " + e.Message, e);
        }

        onEvent(type, new EncodedObject(format, value));
    }

    /// <summary><c>RawExtension</c>.</summary>
    private ReadOnlySpan<byte> RawOf(ReadOnlySpan<byte> extension)
    {
        ReadOnlySpan<byte> raw = default;
        var reader = format.Open(extension);
        while (reader.Next())
        {
            if (reader.Field == 1) raw = reader.Bytes("raw");
            else reader.Skip();
        }

        return raw;
    }

    private static uint LengthOf(ReadOnlySequence<byte> prefix)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        prefix.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
