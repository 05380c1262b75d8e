using System.Text;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>A complete answer to a request.</summary>
/// <param name="Status">The status code.</param>
/// <param name="ContentType">The content type.</param>
/// <param name="Body">The body.</param>
internal sealed record HttpReply(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>Further headers.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Writes a body that is too large to be made first; then <see cref="Body"/> is empty.</summary>
    public Func<Stream, CancellationToken, Task>? Writer { get; init; }

    public static HttpReply Text(int status, string body) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(body));

    public static HttpReply Json(int status, ReadOnlyMemory<byte> body) => new(status, "application/json", body);

    public static HttpReply NotFound { get; } = Text(StatusCodes.Status404NotFound, "404 page not found\n");

    /// <summary>Sends the answer.</summary>
    public async Task SendAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.StatusCode = Status;
        response.ContentType = ContentType;
        if (Writer is null) response.ContentLength = Body.Length;
        response.Headers.XContentTypeOptions = "nosniff";
        foreach (var (name, value) in Headers) response.Headers[name] = value;
        if (Writer is not null) await Writer(response.Body, cancellationToken);
        else if (!HttpMethods.IsHead(response.HttpContext.Request.Method)) await response.Body.WriteAsync(Body, cancellationToken);
    }
}
