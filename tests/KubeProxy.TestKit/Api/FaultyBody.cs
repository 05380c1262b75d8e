using System.Buffers;
using System.IO.Pipelines;

namespace KubeProxy.TestKit.Api;

/// <summary>Writes the body of a response, and goes wrong where the fault says so.</summary>
internal sealed class FaultyBody(PipeWriter writer, Fault? fault, Action abort, Task stallEnds)
{
    private const int FlushAt = 32 * 1024;

    private int _written;
    private int _unflushed;

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        switch (fault)
        {
            case Fault.CutAfter cut when _written + bytes.Length > cut.Bytes:
                await PassAsync(bytes[..Math.Max(0, cut.Bytes - _written)], cancellationToken);
                await writer.FlushAsync(cancellationToken);
                abort();
                throw new OperationCanceledException();
            case Fault.StallAfter stall when _written + bytes.Length > stall.Bytes:
                await PassAsync(bytes[..Math.Max(0, stall.Bytes - _written)], cancellationToken);
                await writer.FlushAsync(cancellationToken);
                await stallEnds.WaitAsync(cancellationToken);
                throw new OperationCanceledException();
            case Fault.Dribble dribble:
                for (var rest = bytes; rest.Length > 0; rest = rest[Math.Min(dribble.Bytes, rest.Length)..])
                {
                    await PassAsync(rest[..Math.Min(dribble.Bytes, rest.Length)], cancellationToken);
                    await writer.FlushAsync(cancellationToken);
                }

                break;
            default:
                await PassAsync(bytes, cancellationToken);
                break;
        }
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        _unflushed = 0;
        await writer.FlushAsync(cancellationToken);
    }

    private async Task PassAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        _written += bytes.Length;
        _unflushed += bytes.Length;
        writer.Write(bytes.Span);
        if (_unflushed > FlushAt) await FlushAsync(cancellationToken);
    }
}
