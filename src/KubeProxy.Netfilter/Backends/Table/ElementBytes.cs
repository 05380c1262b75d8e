using System.Buffers.Binary;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>Puts a concatenated key or datum together: each part begins at a multiple of 4 bytes, as in registers.</summary>
internal ref struct ElementBytesWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    public void Address(IpAddr address)
    {
        address.WriteBytes(_buffer[_length..]);
        _length += address.Length;
    }

    public void Protocol(Protocol protocol)
    {
        _buffer.Slice(_length, 4).Clear();
        _buffer[_length] = (byte)protocol;
        _length += 4;
    }

    public void Port(ushort port)
    {
        _buffer.Slice(_length, 4).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_length..], port);
        _length += 4;
    }

    public void Number(IpFamily family, uint number) => Address(AffinityNumber.ToAddress(family, number));

    // What numgen yields is a number in host order.
    public void Index(uint index)
    {
        BitConverter.TryWriteBytes(_buffer[_length..], index);
        _length += 4;
    }

    public readonly NftData ToData() => new(_buffer[.._length]);
}

/// <summary>Takes a concatenated key or datum apart. Reading past the end fails.</summary>
internal ref struct ElementBytesReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public bool TryAddress(IpFamily family, out IpAddr address)
    {
        address = default;
        if (!TryTake(family == IpFamily.IPv4 ? 4 : 16, out var part)) return false;
        address = IpAddr.FromBytes(part);
        return true;
    }

    public bool TryProtocol(out Protocol protocol)
    {
        protocol = default;
        if (!TryTake(4, out var part)) return false;
        protocol = (Protocol)part[0];
        return true;
    }

    public bool TryPort(out ushort port)
    {
        port = 0;
        return TryTake(4, out var part) && BinaryPrimitives.TryReadUInt16BigEndian(part, out port);
    }

    public bool TryNumber(IpFamily family, out uint number)
    {
        number = 0;
        return TryAddress(family, out var address) && AffinityNumber.TryRead(address, out number);
    }

    public bool TryIndex(out uint index)
    {
        index = 0;
        if (!TryTake(4, out var part)) return false;
        index = BitConverter.ToUInt32(part);
        return true;
    }

    private bool TryTake(int length, out ReadOnlySpan<byte> part)
    {
        part = default;
        if (_rest.Length < length) return false;
        part = _rest[..length];
        _rest = _rest[length..];
        return true;
    }
}
