using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Json;

/// <summary><c>application/json</c>: every API server speaks it.</summary>
internal sealed class JsonFormat : IWireFormat
{
    private readonly KubernetesObjectReader _objects = KubernetesObjectReader.ForApi();

    public Task<ListMetadata> ReadListAsync(ByteStream body, ObjectHandler onItem) =>
        new JsonListReader(this, new JsonValueStream(body)).ReadAsync(onItem);

    public IWatchReader OpenWatch(ByteStream body) => new JsonWatchReader(this, new JsonValueStream(body));

    public KubernetesObject ReadObjectBody(ObjectKind kind, ReadOnlySpan<byte> body) => ReadObject(kind, body);

    public ApiStatus ReadStatusBody(ReadOnlySpan<byte> body) => ReadStatus(body);

    public KubernetesObject ReadObject(ObjectKind kind, ReadOnlySpan<byte> bytes) => _objects.Read(kind, bytes);

    public ObjectHead ReadHead(ReadOnlySpan<byte> bytes) => JsonHead.Read(bytes);

    public ApiStatus ReadStatus(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, ApiJsonContext.Default.ApiStatus) ?? new ApiStatus();
        }
        catch (JsonException)
        {
            return new ApiStatus();
        }
    }
}
