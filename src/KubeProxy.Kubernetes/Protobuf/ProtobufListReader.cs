using System.Buffers;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads the response to a list request, item by item.</summary>
internal sealed class ProtobufListReader(ProtobufFormat format, ProtobufStream stream)
{
    private const ulong MetadataField = 1;
    private const ulong ItemsField = 2;

    private ListMetadata _metadata = new();

    /// <summary>Reads all of it: an envelope, with the list in it.</summary>
    /// <exception cref="ApiRequestException">It is no list, or the connection broke or is silent.</exception>
    public async Task<ListMetadata> ReadAsync(ObjectHandler onItem)
    {
        if (!IsMagic(await stream.TakeAsync((ulong)ProtobufEnvelope.Magic.Length)))
            throw ApiRequestException.Broken("the response is no list: it does not begin as an object does");
        while (!await stream.IsAtEndAsync())
        {
            var (field, type) = await stream.TakeTagAsync();
            if (field == ProtobufEnvelope.RawField && type == WireType.Bytes) await ReadListAsync(await stream.TakeNumberAsync(), onItem);
            else await stream.SkipAsync(type);
        }

        return _metadata;
    }

    private async Task ReadListAsync(ulong length, ObjectHandler onItem)
    {
        if (length > long.MaxValue / 2) throw ApiRequestException.Broken("the list says that it is larger than anything");
        var end = stream.Position + (long)length;
        while (stream.Position < end)
        {
            var (field, type) = await stream.TakeTagAsync();
            if (type == WireType.Bytes && field is MetadataField or ItemsField)
            {
                var value = await stream.TakeAsync(await stream.TakeNumberAsync());
                if (field == ItemsField) Hand(value, onItem);
                else ReadMetadata(value);
            }
            else
            {
                await stream.SkipAsync(type);
            }
        }

        if (stream.Position > end) throw ApiRequestException.Broken("an item of the list reaches beyond its end");
    }

    private void Hand(ReadOnlySequence<byte> item, ObjectHandler onItem)
    {
        using var bytes = new ContiguousBytes(item);
        onItem(new EncodedObject(format, bytes.Span));
    }

    private void ReadMetadata(ReadOnlySequence<byte> value)
    {
        using var bytes = new ContiguousBytes(value);
        try
        {
            var reader = format.Open(bytes.Span);
            _metadata = StatusDecoder.ReadListMetadata(ref reader);
        }
        catch (ProtobufException e)
        {
            throw ApiRequestException.Broken($"the metadata of the list cannot be read: {e.Field}: {e.Message}", e);
        }
    }

    private static bool IsMagic(ReadOnlySequence<byte> value)
    {
        using var bytes = new ContiguousBytes(value);
        return bytes.Span.SequenceEqual(ProtobufEnvelope.Magic);
    }
}
