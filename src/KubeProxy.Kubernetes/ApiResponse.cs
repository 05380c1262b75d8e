using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes;

/// <summary>A successful response whose body is being read.</summary>
/// <param name="message">The head.</param>
/// <param name="body">The body.</param>
/// <param name="format">How it is encoded.</param>
/// <param name="connection">What it comes through.</param>
/// <param name="deadline">Ends it when it is silent for too long.</param>
/// <param name="maxValueBytes">The size of the largest value that is accepted.</param>
/// <param name="ended">Is told how many bytes of the body were received.</param>
internal sealed class ApiResponse(
    HttpResponseMessage message,
    Stream body,
    IWireFormat format,
    ApiConnection connection,
    IdleDeadline deadline,
    int maxValueBytes,
    Action<long> ended) : IDisposable
{
    private readonly ByteStream _bytes = new(body, deadline, maxValueBytes);

    /// <inheritdoc cref="IWireFormat.ReadListAsync"/>
    public Task<ListMetadata> ReadListAsync(ObjectHandler onItem) => format.ReadListAsync(_bytes, onItem);

    /// <inheritdoc cref="IWireFormat.OpenWatch"/>
    public IWatchReader OpenWatch() => format.OpenWatch(_bytes);

    /// <summary>Reads the one object that the body is.</summary>
    /// <exception cref="ApiRequestException">The connection broke or is silent.</exception>
    /// <exception cref="KubernetesObjectException">It is malformed.</exception>
    public async Task<KubernetesObject> ReadObjectAsync(ObjectKind kind)
    {
        using var bytes = new ContiguousBytes(await _bytes.ReadToEndAsync());
        return format.ReadObjectBody(kind, bytes.Span);
    }

    /// <summary>Cuts the response off if it is not at its end.</summary>
    public void Dispose()
    {
        ended(_bytes.BytesReceived);
        body.Dispose();
        message.Dispose();
        deadline.Dispose();
        connection.Dispose();
    }
}
