using KubeProxy.Core.Kubernetes.Api.Json;

namespace KubeProxy.Core.Kubernetes.Api;

/// <summary>A successful response whose body is being read.</summary>
/// <param name="message">The head.</param>
/// <param name="body">The body.</param>
/// <param name="connection">What it comes through.</param>
/// <param name="deadline">Ends it when it is silent for too long.</param>
/// <param name="maxValueBytes">The size of the largest value that is accepted.</param>
/// <param name="ended">Is told how many bytes of the body were received.</param>
internal sealed class ApiResponse(
    HttpResponseMessage message, Stream body, ApiConnection connection, IdleDeadline deadline, int maxValueBytes, Action<long> ended) : IDisposable
{
    /// <summary>The body, value by value.</summary>
    public JsonValueStream Values { get; } = new(body, deadline, maxValueBytes);

    /// <summary>Cuts the response off if it is not at its end.</summary>
    public void Dispose()
    {
        ended(Values.BytesReceived);
        body.Dispose();
        message.Dispose();
        deadline.Dispose();
        connection.Dispose();
    }
}
