using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Gives at most so many bytes at once, and not at once.</summary>
internal sealed class PieceStream(byte[] bytes, int piece) : MemoryStream(bytes)
{
    public static ByteStream Open(byte[] bytes, int piece, int maxValueBytes = 1 << 20) =>
        new(new PieceStream(bytes, piece), new IdleDeadline(TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None), maxValueBytes);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return await base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
