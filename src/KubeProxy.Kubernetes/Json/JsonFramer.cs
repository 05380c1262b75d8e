using System.Buffers;

namespace KubeProxy.Kubernetes.Json;

/// <summary>
/// Finds where a JSON value ends, in bytes that come in pieces. It does not validate: whoever parses the value does. What is
/// no JSON ends somewhere, or at the size limit of the caller.
/// </summary>
internal struct JsonFramer
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> ScalarEnd = SearchValues.Create(",}]: \t\r\n"u8);

    private int _depth;
    private bool _inString;
    private bool _escaped;
    private bool _inScalar;

    /// <summary>Continues with the next piece.</summary>
    /// <param name="bytes">The piece; the first one begins with the first byte of the value.</param>
    /// <param name="length">How many of them belong to the value.</param>
    /// <returns>Whether the value ends there; otherwise all bytes belong to it, and it goes on.</returns>
    public bool TryFindEnd(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        while (length < bytes.Length)
        {
            var rest = bytes[length..];
            var ended = _inString ? ReadString(rest, ref length)
                : _inScalar ? ReadScalar(rest, ref length)
                : _depth == 0 ? Begin(rest[0], ref length)
                : ReadStructure(rest, ref length);
            if (ended) return true;
        }

        return false;
    }

    /// <summary>Whether the end of the stream ends the value too, as it does for a number.</summary>
    public readonly bool MayEndHere => _inScalar;

    private bool Begin(byte first, ref int length)
    {
        length++;
        if (first == '"') _inString = true;
        else if (first is (byte)'{' or (byte)'[') _depth = 1;
        else _inScalar = true;
        return false;
    }

    private bool ReadString(ReadOnlySpan<byte> rest, ref int length)
    {
        if (_escaped)
        {
            _escaped = false;
            length++;
            return false;
        }

        var hit = rest.IndexOfAny((byte)'"', (byte)'\\');
        if (hit < 0)
        {
            length += rest.Length;
            return false;
        }

        length += hit + 1;
        _escaped = rest[hit] == '\\';
        _inString = _escaped;
        return !_inString && _depth == 0;
    }

    private static bool ReadScalar(ReadOnlySpan<byte> rest, ref int length)
    {
        var hit = rest.IndexOfAny(ScalarEnd);
        length += hit < 0 ? rest.Length : hit;
        return hit >= 0;
    }

    private bool ReadStructure(ReadOnlySpan<byte> rest, ref int length)
    {
        var hit = rest.IndexOfAny(Structure);
        if (hit < 0)
        {
            length += rest.Length;
            return false;
        }

        length += hit + 1;
        switch (rest[hit])
        {
            case (byte)'"':
                _inString = true;
                return false;
            case (byte)'{' or (byte)'[':
                _depth++;
                return false;
            default:
                return --_depth == 0;
        }
    }
}
