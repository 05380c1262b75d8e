using System.Buffers;

namespace KubeProxy.Kubernetes.Wire;

/// <summary>The bytes of a value in one piece; copied into a rented array only when they come in several.</summary>
internal readonly struct ContiguousBytes : IDisposable
{
    private readonly byte[]? _rented;
    private readonly ReadOnlyMemory<byte> _memory;

    public ContiguousBytes(ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            _memory = bytes.First;
            return;
        }

        var length = (int)bytes.Length;
        _rented = ArrayPool<byte>.Shared.Rent(length);
        bytes.CopyTo(_rented);
        _memory = _rented.AsMemory(0, length);
    }

    public ReadOnlySpan<byte> Span => _memory.Span;

    public void Dispose()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
    }
}
