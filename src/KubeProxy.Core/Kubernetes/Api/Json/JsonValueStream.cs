using System.Buffers;
using System.IO.Pipelines;

namespace KubeProxy.Core.Kubernetes.Api.Json;

/// <summary>
/// Cuts a stream of UTF-8 JSON into values, one at a time: of the whole text, only the value at hand is in memory. Not
/// thread-safe.
/// </summary>
/// <param name="stream">The stream; not disposed.</param>
/// <param name="deadline">Ends the reading when the stream is silent for too long.</param>
/// <param name="maxValueBytes">The size of the largest value that is accepted.</param>
internal sealed class JsonValueStream(Stream stream, IdleDeadline deadline, int maxValueBytes)
{
    private const int BufferSize = 32 * 1024;

    // Zero-byte reads: a watch that waits holds no buffer.
    private readonly PipeReader _pipe = PipeReader.Create(
        stream, new StreamPipeReaderOptions(bufferSize: BufferSize, leaveOpen: true, useZeroByteReads: true));

    private ReadOnlySequence<byte> _buffer = ReadOnlySequence<byte>.Empty;
    private bool _holdsBuffer;
    private bool _ended;

    /// <summary>How many bytes were received so far.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>The next byte that is no white space, which stays where it is; -1 at the end of the stream.</summary>
    /// <exception cref="ApiRequestException">The connection broke or is silent.</exception>
    public async ValueTask<int> PeekAsync()
    {
        while (true)
        {
            if (SkipWhiteSpace()) return _buffer.FirstSpan[0];
            if (!await FillAsync()) return -1;
        }
    }

    /// <summary>Takes the byte that <see cref="PeekAsync"/> saw.</summary>
    public void Take() => _buffer = _buffer.Slice(1);

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
            if (length > maxValueBytes) throw ApiRequestException.Broken($"a value is larger than {maxValueBytes} bytes");
            if (await FillAsync()) continue;
            if (framer.MayEndHere) break;
            throw ApiRequestException.Broken($"the connection ended within a value, after {length} bytes of it");
        }

        if (length > maxValueBytes) throw ApiRequestException.Broken($"a value is larger than {maxValueBytes} bytes");
        var value = _buffer.Slice(0, length);
        _buffer = _buffer.Slice(length);
        return value;
    }

    private bool TryFindEnd(ref JsonFramer framer, ref long length)
    {
        foreach (var piece in _buffer.Slice(length))
        {
            var ended = framer.TryFindEnd(piece.Span, out var used);
            length += used;
            if (ended) return true;
        }

        return false;
    }

    private bool SkipWhiteSpace()
    {
        while (!_buffer.IsEmpty)
        {
            var first = _buffer.FirstSpan;
            var at = first.IndexOfAnyExcept(" \t\r\n"u8);
            _buffer = _buffer.Slice(at < 0 ? first.Length : at);
            if (at >= 0) return true;
        }

        return false;
    }

    /// <summary>Adds what comes next to the buffer; false at the end of the stream.</summary>
    private async ValueTask<bool> FillAsync()
    {
        if (_ended) return false;
        if (_holdsBuffer) _pipe.AdvanceTo(_buffer.Start, _buffer.End);
        _holdsBuffer = false;
        var before = _buffer.Length;
        var result = await deadline.GuardAsync(_pipe.ReadAsync);
        _buffer = result.Buffer;
        _holdsBuffer = true;
        BytesReceived += _buffer.Length - before;
        _ended = result.IsCompleted && _buffer.Length == before;
        return !_ended;
    }
}
