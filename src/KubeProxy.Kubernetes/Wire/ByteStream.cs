using System.Buffers;
using System.IO.Pipelines;

namespace KubeProxy.Kubernetes.Wire;

/// <summary>
/// The body of a response as it comes: only what has not been taken yet is in memory. Not thread-safe.
/// </summary>
/// <param name="stream">The stream; not disposed.</param>
/// <param name="deadline">Ends the reading when the stream is silent for too long.</param>
/// <param name="maxValueBytes">The size of the largest value that is accepted.</param>
internal sealed class ByteStream(Stream stream, IdleDeadline deadline, int maxValueBytes)
{
    private const int BufferSize = 32 * 1024;

    // Zero-byte reads: a watch that waits holds no buffer.
    private readonly PipeReader _pipe = PipeReader.Create(
        stream, new StreamPipeReaderOptions(bufferSize: BufferSize, leaveOpen: true, useZeroByteReads: true));

    private bool _holdsBuffer;
    private bool _ended;

    /// <summary>What was received and not taken; valid until <see cref="FillAsync"/>.</summary>
    public ReadOnlySequence<byte> Buffer { get; private set; } = ReadOnlySequence<byte>.Empty;

    /// <summary>How many bytes were received so far.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Takes bytes off the buffer.</summary>
    public void Advance(long count) => Buffer = Buffer.Slice(count);

    /// <summary>Takes bytes off the buffer, which stay valid until <see cref="FillAsync"/>.</summary>
    public ReadOnlySequence<byte> Take(long count)
    {
        var taken = Buffer.Slice(0, count);
        Advance(count);
        return taken;
    }

    /// <summary>Waits for more, and adds it to the buffer; false at the end of the stream.</summary>
    /// <exception cref="ApiRequestException">The connection broke or is silent.</exception>
    public async ValueTask<bool> FillAsync()
    {
        if (_ended) return false;
        if (_holdsBuffer) _pipe.AdvanceTo(Buffer.Start, Buffer.End);
        _holdsBuffer = false;
        var before = Buffer.Length;
        var result = await deadline.GuardAsync(_pipe.ReadAsync);
        Buffer = result.Buffer;
        _holdsBuffer = true;
        BytesReceived += Buffer.Length - before;
        _ended = result.IsCompleted && Buffer.Length == before;
        return !_ended;
    }

    /// <summary>Takes all that is left; one value.</summary>
    /// <exception cref="ApiRequestException">The connection broke or is silent, or it is too much.</exception>
    public async ValueTask<ReadOnlySequence<byte>> ReadToEndAsync()
    {
        do CheckSize(Buffer.Length);
        while (await FillAsync());
        return Take(Buffer.Length);
    }

    /// <summary>Refuses what is too large to be kept in memory.</summary>
    /// <exception cref="ApiRequestException">The value is too large.</exception>
    public void CheckSize(ulong length)
    {
        if (length > (ulong)maxValueBytes) throw ApiRequestException.Broken($"a value is larger than {maxValueBytes} bytes");
    }

    /// <inheritdoc cref="CheckSize(ulong)"/>
    public void CheckSize(long length) => CheckSize((ulong)length);
}
