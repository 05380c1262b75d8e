using System.Buffers;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>What one thread may hold of data that a receiver has not taken yet.</summary>
internal sealed class BufferBudget(int limit)
{
    private readonly ArrayPool<byte> _pool = ArrayPool<byte>.Create(maxArrayLength: 1 << 18, maxArraysPerBucket: 64);

    /// <summary>Bytes held.</summary>
    public int Used { get; private set; }

    /// <summary>Whether there is room for the largest piece that may be left over.</summary>
    public bool HasRoomFor(int bytes) => Used + bytes <= limit;

    /// <summary>Holds a copy.</summary>
    public byte[] Hold(ReadOnlySpan<byte> data)
    {
        var buffer = _pool.Rent(data.Length);
        data.CopyTo(buffer);
        Used += buffer.Length;
        return buffer;
    }

    /// <summary>Lets a copy go.</summary>
    public void LetGo(byte[] buffer)
    {
        Used -= buffer.Length;
        _pool.Return(buffer);
    }
}
