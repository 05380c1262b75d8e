using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Wire;

/// <summary>An encoding of the API: how objects, lists and watches look on the wire. Thread-safe.</summary>
internal interface IWireFormat
{
    /// <summary>Reads the body of a list, item by item.</summary>
    /// <exception cref="ApiRequestException">It is no list, or the connection broke or is silent.</exception>
    Task<ListMetadata> ReadListAsync(ByteStream body, ObjectHandler onItem);

    /// <summary>A reader of the body of a watch.</summary>
    IWatchReader OpenWatch(ByteStream body);

    /// <summary>Reads a body that is nothing but an object.</summary>
    /// <exception cref="KubernetesObjectException">It is malformed.</exception>
    KubernetesObject ReadObjectBody(ObjectKind kind, ReadOnlySpan<byte> body);

    /// <summary>Reads a body that is nothing but a Status; anything else is a Status without content.</summary>
    ApiStatus ReadStatusBody(ReadOnlySpan<byte> body);

    /// <summary>Reads an object of a list or an event.</summary>
    /// <exception cref="KubernetesObjectException">It is malformed.</exception>
    KubernetesObject ReadObject(ObjectKind kind, ReadOnlySpan<byte> bytes);

    /// <summary>Reads the identity of an object as far as there is one; never throws because of its content.</summary>
    ObjectHead ReadHead(ReadOnlySpan<byte> bytes);

    /// <summary>Reads the Status of an event; anything else is a Status without content.</summary>
    ApiStatus ReadStatus(ReadOnlySpan<byte> bytes);
}

/// <summary>Reads the response to a watch request, event by event.</summary>
internal interface IWatchReader
{
    /// <summary>Waits for the next event and hands it over; false when the server has ended the watch.</summary>
    /// <exception cref="ApiRequestException">What comes is no event, or the connection broke or is silent.</exception>
    ValueTask<bool> ReadAsync(WatchEventHandler onEvent);
}

/// <summary>Takes one object of a list; valid during the call.</summary>
internal delegate void ObjectHandler(EncodedObject item);

/// <summary>Takes an event; its object is valid during the call.</summary>
internal delegate void WatchEventHandler(WatchEventType type, EncodedObject value);

/// <summary>An object that has not been read yet.</summary>
/// <param name="format">How it is encoded.</param>
/// <param name="bytes">The object, without any envelope.</param>
internal readonly ref struct EncodedObject(IWireFormat format, ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <inheritdoc cref="IWireFormat.ReadObject"/>
    public KubernetesObject Read(ObjectKind kind) => format.ReadObject(kind, _bytes);

    /// <inheritdoc cref="IWireFormat.ReadHead"/>
    public ObjectHead ReadHead() => format.ReadHead(_bytes);

    /// <inheritdoc cref="IWireFormat.ReadStatus"/>
    public ApiStatus ReadStatus() => format.ReadStatus(_bytes);
}

/// <summary><c>ListMeta</c> of the API.</summary>
internal sealed record ListMetadata
{
    /// <summary>Where to watch from.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>The token of the next page; empty or null on the last one.</summary>
    public string? Continue { get; init; }
}
