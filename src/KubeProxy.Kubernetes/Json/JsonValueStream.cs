using System.Buffers;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Json;

/// <summary>
/// Cuts a stream of UTF-8 JSON into values, one at a time: of the whole text, only the value at hand is in memory. Not
/// thread-safe.
/// </summary>
internal sealed class JsonValueStream(ByteStream bytes)
{
    /// <summary>The next byte that is no white space, which stays where it is; -1 at the end of the stream.</summary>
    /// <exception cref="ApiRequestException">The connection broke or is silent.</exception>
    public async ValueTask<int> PeekAsync()
    {
        while (true)
        {
            if (SkipWhiteSpace()) return bytes.Buffer.FirstSpan[0];
            if (!await bytes.FillAsync()) return -1;
        }
    }

    /// <summary>Takes the byte that <see cref="PeekAsync"/> saw.</summary>
    public void Take() => bytes.Advance(1);

    /// <summary>Takes the next value.</summary>
    /// <returns>Its bytes, valid until the next call.</returns>
    /// <exception cref="ApiRequestException">
    /// The connection broke or is silent, the stream ends before the value, or it is too large.
    /// </exception>
    public async ValueTask<ReadOnlySequence<byte>> ReadValueAsync()
    {
        if (await PeekAsync() < 0) throw ApiRequestException.Broken("the response ends where a value should be");
        var framer = new JsonFramer();
        var length = 0L;
        while (!TryFindEnd(ref framer, ref length))
        {
            bytes.CheckSize(length);
            if (await bytes.FillAsync()) continue;
            if (framer.MayEndHere) break;
            throw ApiRequestException.Broken($"the connection ended within a value, after {length} bytes of it");
        }

        bytes.CheckSize(length);
        return bytes.Take(length);
    }

    private bool TryFindEnd(ref JsonFramer framer, ref long length)
    {
        foreach (var piece in bytes.Buffer.Slice(length))
        {
            var ended = framer.TryFindEnd(piece.Span, out var used);
            length += used;
            if (ended) return true;
        }

        return false;
    }

    private bool SkipWhiteSpace()
    {
        while (!bytes.Buffer.IsEmpty)
        {
            var first = bytes.Buffer.FirstSpan;
            var at = first.IndexOfAnyExcept(" \t\r\n"u8);
            bytes.Advance(at < 0 ? first.Length : at);
            if (at >= 0) return true;
        }

        return false;
    }
}
