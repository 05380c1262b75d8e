using System.Runtime.InteropServices;
using System.Text;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Writes user data: what nft keeps in the kernel for itself. One byte type, one byte length, value; numbers in host order.
/// </summary>
internal sealed class NftUserdataWriter
{
    private readonly byte[] _buffer = new byte[256]; // NFT_USERDATA_MAXLEN
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Put(byte type, uint value) => MemoryMarshal.Write(Reserve(type, 4), value);

    public void Put(byte type, string text)
    {
        var value = Reserve(type, Encoding.UTF8.GetByteCount(text) + 1);
        value[Encoding.UTF8.GetBytes(text, value)] = 0;
    }

    /// <summary>Begins a nest; give what it returns to <see cref="End"/>.</summary>
    public int Begin(byte type)
    {
        Reserve(type, 0);
        return _length;
    }

    public void End(int start)
    {
        if (_length - start > byte.MaxValue) ThrowTooLong();
        _buffer[start - 1] = (byte)(_length - start);
    }

    private Span<byte> Reserve(byte type, int length)
    {
        if (length > byte.MaxValue || _length + 2 + length > _buffer.Length) ThrowTooLong();
        _buffer[_length] = type;
        _buffer[_length + 1] = (byte)length;
        var value = _buffer.AsSpan(_length + 2, length);
        _length += 2 + length;
        return value;
    }

    private static void ThrowTooLong() => throw new Netlink.NetlinkFormatException("The user data of an nftables object has at most 256 bytes.");
}

/// <summary>Goes through user data. Anybody may have written it, so malformed data ends the walk and is no error.</summary>
internal ref struct NftUserdataReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public byte Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        if (_rest.Length < 2 || _rest.Length - 2 < _rest[1]) return false;
        Type = _rest[0];
        Value = _rest.Slice(2, _rest[1]);
        _rest = _rest[(2 + Value.Length)..];
        return true;
    }

    /// <summary>The value of that type; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> bytes, byte type)
    {
        var reader = new NftUserdataReader(bytes);
        while (reader.MoveNext())
            if (reader.Type == type)
                return reader.Value;
        return [];
    }

    /// <summary>The number of that type; null when there is none.</summary>
    public static uint? Number(ReadOnlySpan<byte> bytes, byte type) =>
        Find(bytes, type) is { Length: 4 } value ? MemoryMarshal.Read<uint>(value) : null;

    /// <summary>The text of that type; null when there is none.</summary>
    public static string? Text(ReadOnlySpan<byte> bytes, byte type)
    {
        var value = Find(bytes, type);
        if (value.Length == 0) return null;
        return Encoding.UTF8.GetString(value[^1] == 0 ? value[..^1] : value);
    }
}

/// <summary>Numbers in user data (<c>NFTNL_UDATA_*</c>).</summary>
internal static class NftUserdata
{
    public const byte TableComment = 0;
    public const byte ChainComment = 0;
    public const byte RuleComment = 0;
    public const byte ObjectComment = 0;
    public const byte ElementComment = 0;
    public const byte ElementFlags = 1;
    public const uint ElementIsOpen = 1; // NFTNL_SET_ELEM_F_INTERVAL_OPEN: the range goes to the end
    public const byte SetKeyByteOrder = 0;
    public const byte SetDataByteOrder = 1;
    public const byte SetMergeElements = 2;
    public const byte SetKeyTypeof = 3;
    public const byte SetDataTypeof = 4;
    public const byte SetDataInterval = 6;
    public const byte SetComment = 7;
}
