using System.Buffers;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Takes a protobuf message that is too large to be kept in memory apart as it comes. Not thread-safe.</summary>
internal sealed class ProtobufStream(ByteStream bytes)
{
    /// <summary>How many bytes were taken.</summary>
    public long Position { get; private set; }

    /// <summary>Whether nothing more comes.</summary>
    /// <exception cref="ApiRequestException">The connection broke or is silent.</exception>
    public async ValueTask<bool> IsAtEndAsync() => bytes.Buffer.IsEmpty && !await bytes.FillAsync();

    /// <summary>Takes so many bytes, which stay valid until the next call.</summary>
    /// <exception cref="ApiRequestException">They do not come, or are too many.</exception>
    public async ValueTask<ReadOnlySequence<byte>> TakeAsync(ulong count)
    {
        bytes.CheckSize(count);
        while (bytes.Buffer.Length < (long)count) await FillAsync();
        Position += (long)count;
        return bytes.Take((long)count);
    }

    /// <summary>Takes a number.</summary>
    /// <exception cref="ApiRequestException">It does not come, or is none.</exception>
    public async ValueTask<ulong> TakeNumberAsync()
    {
        ulong value;
        while (!TryTakeNumber(out value)) await FillAsync();
        return value;
    }

    /// <summary>Takes the number of a field and the type of its value, which is next.</summary>
    /// <exception cref="ApiRequestException">It does not come, or is none.</exception>
    public async ValueTask<(ulong Field, WireType Type)> TakeTagAsync()
    {
        var tag = await TakeNumberAsync();
        return (tag >> 3, (WireType)(tag & 7));
    }

    /// <summary>Leaves out a value, however large.</summary>
    /// <exception cref="ApiRequestException">It does not come, or is none.</exception>
    public async ValueTask SkipAsync(WireType type)
    {
        ulong count = type switch
        {
            WireType.Varint => 0,
            WireType.Bytes => await TakeNumberAsync(),
            WireType.Fixed64 => sizeof(ulong),
            WireType.Fixed32 => sizeof(uint),
            _ => throw ApiRequestException.Broken($"the response has a field of the unknown type {(int)type}"),
        };
        if (type == WireType.Varint) await TakeNumberAsync();
        while (count > 0)
        {
            if (bytes.Buffer.IsEmpty) await FillAsync();
            var taken = Math.Min(count, (ulong)bytes.Buffer.Length);
            bytes.Advance((long)taken);
            Position += (long)taken;
            count -= taken;
        }
    }

    private async ValueTask FillAsync()
    {
        if (!await bytes.FillAsync()) throw ApiRequestException.Broken("the connection ended within a message");
    }

    /// <summary>False when it has not come as a whole.</summary>
    private bool TryTakeNumber(out ulong value)
    {
        Span<byte> start = stackalloc byte[Varint.MaxLength];
        var head = bytes.Buffer.Slice(0, Math.Min(bytes.Buffer.Length, start.Length));
        head.CopyTo(start);
        ReadOnlySpan<byte> rest = start[..(int)head.Length];
        if (Varint.TryRead(ref rest, out value))
        {
            var length = head.Length - rest.Length;
            bytes.Advance(length);
            Position += length;
            return true;
        }

        return head.Length < start.Length ? false : throw ApiRequestException.Broken("the response has a number that does not end");
    }
}
