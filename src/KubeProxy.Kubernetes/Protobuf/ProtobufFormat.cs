using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary><c>application/vnd.kubernetes.protobuf</c>: what the components of Kubernetes speak among themselves.</summary>
internal sealed class ProtobufFormat : IWireFormat
{
    private readonly StringCache _strings = new();

    /// <summary>A reader of one message.</summary>
    public ProtobufReader Open(ReadOnlySpan<byte> message) => new(message, _strings);

    public Task<ListMetadata> ReadListAsync(ByteStream body, ObjectHandler onItem) =>
        new ProtobufListReader(this, new ProtobufStream(body)).ReadAsync(onItem);

    public IWatchReader OpenWatch(ByteStream body) => new ProtobufWatchReader(this, new ProtobufStream(body));

    /// <inheritdoc cref="ProtobufEnvelope.Unwrap"/>
    public ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> envelope) => ProtobufEnvelope.Unwrap(envelope, _strings);

    public KubernetesObject ReadObjectBody(ObjectKind kind, ReadOnlySpan<byte> body)
    {
        try
        {
            return Read(kind, Unwrap(body));
        }
        catch (ProtobufException e)
        {
            throw Failure(kind, e);
        }
    }

    public ApiStatus ReadStatusBody(ReadOnlySpan<byte> body)
    {
        try
        {
            return ReadStatus(Unwrap(body));
        }
        catch (ProtobufException)
        {
            return new ApiStatus();
        }
    }

    public KubernetesObject ReadObject(ObjectKind kind, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Read(kind, bytes);
        }
        catch (ProtobufException e)
        {
            throw Failure(kind, e);
        }
    }

    public ObjectHead ReadHead(ReadOnlySpan<byte> bytes)
    {
        var reader = Open(bytes);
        return MetadataDecoder.ReadHead(ref reader);
    }

    public ApiStatus ReadStatus(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = Open(bytes);
            return StatusDecoder.Read(ref reader);
        }
        catch (ProtobufException)
        {
            return new ApiStatus();
        }
    }

    private KubernetesObject Read(ObjectKind kind, ReadOnlySpan<byte> bytes)
    {
        var reader = Open(bytes);
        return KubernetesObject.RequireName(kind, kind switch
        {
            ObjectKind.Service => ServiceDecoder.Read(ref reader),
            ObjectKind.EndpointSlice => EndpointSliceDecoder.Read(ref reader),
            ObjectKind.Node => NodeDecoder.Read(ref reader),
            _ => ServiceCidrDecoder.Read(ref reader),
        });
    }

    private static KubernetesObjectException Failure(ObjectKind kind, ProtobufException e) =>
        new(kind.ToName(), "", e.Field, e.Message, e);
}
