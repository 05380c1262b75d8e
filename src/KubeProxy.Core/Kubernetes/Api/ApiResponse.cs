using KubeProxy.Core.Kubernetes.Api.Json;

namespace KubeProxy.Core.Kubernetes.Api;

/// <summary>A successful response whose body is being read.</summary>
internal sealed class ApiResponse(
    HttpResponseMessage message, Stream body, ApiConnection connection, IdleDeadline deadline, int maxValueBytes) : IDisposable
{
    /// <summary>The body, value by value.</summary>
    public JsonValueStream Values { get; } = new(body, deadline, maxValueBytes);

    /// <summary>Cuts the response off if it is not at its end.</summary>
    public void Dispose()
    {
        body.Dispose();
        message.Dispose();
        deadline.Dispose();
        connection.Dispose();
    }
}
