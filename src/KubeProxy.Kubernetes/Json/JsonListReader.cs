using System.Buffers;
using System.Text.Json;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Json;

/// <summary>Reads the response to a list request, item by item.</summary>
internal sealed class JsonListReader(JsonFormat format, JsonValueStream stream)
{
    private ListMetadata _metadata = new();

    /// <summary>Reads all of it. Members may come in any order, as long as there is one list of items.</summary>
    /// <exception cref="ApiRequestException">It is no list, or the connection broke.</exception>
    public async Task<ListMetadata> ReadAsync(ObjectHandler onItem)
    {
        await ExpectAsync('{');
        while (true)
        {
            var next = await PeekAsync();
            if (next == '}') break;
            if (next == ',') stream.Take();
            else await ReadMemberAsync(onItem);
        }

        stream.Take();
        return _metadata;
    }

    private async Task ReadMemberAsync(ObjectHandler onItem)
    {
        var name = NameOf(await stream.ReadValueAsync());
        await ExpectAsync(':');
        if (name == Member.Items && await PeekAsync() == '[') await ReadItemsAsync(onItem);
        else if (name == Member.Metadata) ReadMetadata(await stream.ReadValueAsync());
        else await stream.ReadValueAsync();
    }

    private async Task ReadItemsAsync(ObjectHandler onItem)
    {
        stream.Take();
        while (true)
        {
            var next = await PeekAsync();
            if (next is ']' or ',') stream.Take();
            if (next == ']') return;
            if (next != ',') Hand(await stream.ReadValueAsync(), onItem);
        }
    }

    private void Hand(ReadOnlySequence<byte> item, ObjectHandler onItem)
    {
        using var bytes = new ContiguousBytes(item);
        onItem(new EncodedObject(format, bytes.Span));
    }

    private void ReadMetadata(ReadOnlySequence<byte> value)
    {
        try
        {
            var reader = new Utf8JsonReader(value);
            _metadata = JsonSerializer.Deserialize(ref reader, ApiJsonContext.Default.ListMetadata) ?? _metadata;
        }
        catch (JsonException e)
        {
            throw ApiRequestException.Broken("the metadata of the list cannot be read: " + e.Message, e);
        }
    }

    private async ValueTask ExpectAsync(char expected)
    {
        var next = await PeekAsync();
        if (next != expected)
            throw ApiRequestException.Broken($"the response is no list: expected '{expected}', found '{(char)next}'");
        stream.Take();
    }

    private async ValueTask<int> PeekAsync()
    {
        var next = await stream.PeekAsync();
        return next >= 0 ? next : throw ApiRequestException.Broken("the connection ended within a list");
    }

    private static Member NameOf(ReadOnlySequence<byte> value)
    {
        using var bytes = new ContiguousBytes(value);
        return bytes.Span.SequenceEqual("\"items\""u8) ? Member.Items
            : bytes.Span.SequenceEqual("\"metadata\""u8) ? Member.Metadata
            : Member.Other;
    }

    private enum Member
    {
        Other,
        Items,
        Metadata,
    }
}
