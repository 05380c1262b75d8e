using System.Diagnostics.CodeAnalysis;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Collects the items of a repeated field. They are counted at the first one, so that no list grows.</summary>
internal struct Repeated<T>
{
    private T[]? _items;
    private int _count;

    public readonly IReadOnlyList<T> Items => _items ?? [];

    /// <summary>Adds the message at hand.</summary>
    /// <exception cref="ProtobufException">It is malformed.</exception>
    public void Add(ref ProtobufReader reader, string name, MessageReader<T> read)
    {
        Reserve(in reader);
        _items[_count] = reader.Message(name, read, _count);
        _count++;
    }

    /// <summary>Adds the value at hand.</summary>
    /// <exception cref="ProtobufException">It is malformed.</exception>
    public void Add(ref ProtobufReader reader, string name, ValueReader<T> read)
    {
        Reserve(in reader);
        try
        {
            _items[_count++] = read(ref reader, "");
        }
        catch (ProtobufException e)
        {
            throw e.Within($"{name}[{_count - 1}]");
        }
    }

    [MemberNotNull(nameof(_items))]
    private void Reserve(in ProtobufReader reader) => _items ??= new T[reader.Count()];
}

/// <summary>Reads a value that is not a message, such as a text.</summary>
internal delegate T ValueReader<out T>(ref ProtobufReader reader, string name);

/// <summary>Texts as items.</summary>
internal static class RepeatedText
{
    /// <inheritdoc cref="ProtobufReader.Text"/>
    public static string Shared(ref ProtobufReader reader, string name) => reader.Text(name);

    /// <inheritdoc cref="ProtobufReader.UniqueText"/>
    public static string Unique(ref ProtobufReader reader, string name) => reader.UniqueText(name);
}
