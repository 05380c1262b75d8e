using System.Text;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads a message whose fields are at hand one after the other.</summary>
internal delegate T MessageReader<out T>(ref ProtobufReader message);

/// <summary>
/// Reads the fields of one message (the protobuf wire format) from any bytes. Field names are only for errors, and to see
/// which numbers are what.
/// </summary>
/// <remarks>
/// The protobuf library of .NET reads whole messages into generated classes, with a string of its own for each of the same few
/// names; here most fields are skipped, and strings are shared.
/// </remarks>
internal ref struct ProtobufReader
{
    private readonly StringCache _strings;
    private ReadOnlySpan<byte> _rest;
    private WireType _type;

    /// <param name="message">The message.</param>
    /// <param name="strings">Shares strings that come often.</param>
    public ProtobufReader(ReadOnlySpan<byte> message, StringCache strings)
    {
        _rest = message;
        _strings = strings;
    }

    /// <summary>The number of the field at hand.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field, whose value must be read or skipped; false at the end.</summary>
    /// <exception cref="ProtobufException">What comes is no field.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty) return false;
        return TryReadTag() ? true : throw new ProtobufException("", "the message is damaged");
    }

    /// <summary>Leaves out the value.</summary>
    /// <exception cref="ProtobufException">It is not there as a whole.</exception>
    public void Skip()
    {
        if (!TrySkip()) throw new ProtobufException("", $"field {Field} is damaged");
    }

    /// <summary>How often a field comes, from the one at hand on.</summary>
    public readonly int Count()
    {
        var count = 0;
        var ahead = this;
        do
        {
            if (ahead.Field == Field) count++;
        }
        while (ahead.TrySkip() && ahead.TryReadTag());
        return count;
    }

    /// <exception cref="ProtobufException">It is of another type, or not there as a whole.</exception>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        Expect(WireType.Bytes, name);
        return TryReadBytes(out var value) ? value : throw Cut(name);
    }

    /// <exception cref="ProtobufException">It is of another type, or out of range.</exception>
    public int Int32(string name)
    {
        var value = Int64(name);
        return value is >= int.MinValue and <= int.MaxValue ? (int)value
            : throw new ProtobufException(name, $"{value} is out of range");
    }

    /// <exception cref="ProtobufException">It is of another type.</exception>
    public long Int64(string name)
    {
        Expect(WireType.Varint, name);
        return Varint.TryRead(ref _rest, out var value) ? (long)value : throw Cut(name);
    }

    /// <exception cref="ProtobufException">It is of another type.</exception>
    public bool Bool(string name) => Int64(name) != 0;

    /// <summary>A text that comes many times.</summary>
    /// <exception cref="ProtobufException">It is of another type, or not UTF-8.</exception>
    public string Text(string name)
    {
        var bytes = Bytes(name);
        try
        {
            return _strings.Get(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw NoText(name, e);
        }
    }

    /// <summary>A text that comes once; it would only push others out of the cache.</summary>
    /// <exception cref="ProtobufException">It is of another type, or not UTF-8.</exception>
    public string UniqueText(string name)
    {
        var bytes = Bytes(name);
        try
        {
            return StringCache.Make(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw NoText(name, e);
        }
    }

    /// <exception cref="ProtobufException">The message, or a field in it, is malformed.</exception>
    /// <param name="name">The field.</param>
    /// <param name="read">Reads the message.</param>
    /// <param name="index">Which one it is of a repeated field; -1 for a field that comes once.</param>
    public T Message<T>(string name, MessageReader<T> read, int index = -1)
    {
        try
        {
            var message = new ProtobufReader(Bytes(""), _strings);
            return read(ref message);
        }
        catch (ProtobufException e)
        {
            throw e.Within(index < 0 ? name : $"{name}[{index}]");
        }
    }

    private bool TryReadTag()
    {
        if (!Varint.TryRead(ref _rest, out var tag) || tag is < 8 or > uint.MaxValue) return false;
        Field = (int)(tag >> 3);
        _type = (WireType)(tag & 7);
        return true;
    }

    private bool TrySkip()
    {
        switch (_type)
        {
            case WireType.Varint:
                return Varint.TryRead(ref _rest, out _);
            case WireType.Bytes:
                return TryReadBytes(out _);
            case WireType.Fixed64 or WireType.Fixed32:
                var length = _type == WireType.Fixed64 ? sizeof(ulong) : sizeof(uint);
                if (_rest.Length < length) return false;
                _rest = _rest[length..];
                return true;
            default:
                return false;
        }
    }

    private bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!Varint.TryRead(ref _rest, out var length) || length > (ulong)_rest.Length) return false;
        value = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return true;
    }

    private readonly void Expect(WireType type, string name)
    {
        if (_type != type) throw new ProtobufException(name, "the value is of the wrong type");
    }

    private static ProtobufException Cut(string name) => new(name, "the value is cut off");

    private static ProtobufException NoText(string name, Exception e) => new(name, "the string is not valid Unicode", e);
}

/// <summary>How the value of a field is encoded. The groups of old (3 and 4) are not used by the API.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>Numbers of seven bits a byte, the lowest first.</summary>
internal static class Varint
{
    /// <summary>The most bytes that a number has.</summary>
    public const int MaxLength = 10;

    /// <summary>Takes a number; false when the bytes end before it does, or it is longer than any number.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < MaxLength; i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] > 0x7f) continue;
            bytes = bytes[(i + 1)..];
            return true;
        }

        return false;
    }
}

/// <summary>A message that is malformed, with the path of the field as far as it is known.</summary>
internal sealed class ProtobufException : Exception
{
    public ProtobufException(string field, string reason, Exception? innerException = null) : base(reason, innerException) =>
        Field = field;

    public ProtobufException() : this("", "") { }

    public ProtobufException(string message) : this("", message) { }

    public ProtobufException(string message, Exception? innerException) : this("", message, innerException) { }

    /// <summary>Such as <c>spec.ports[0].port</c>; empty for the whole message.</summary>
    public string Field { get; }

    /// <summary>As seen from the message around it.</summary>
    public ProtobufException Within(string field) => new(Field.Length == 0 ? field : $"{field}.{Field}", Message, this);
}
