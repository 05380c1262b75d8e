using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>Lets nothing but GET and HEAD through, and no request that is too long to be one of ours.</summary>
/// <param name="pages">Answers them.</param>
internal sealed class ReadOnlyPages(HttpHandler pages)
{
    /// <summary>The longest query, in characters.</summary>
    public const int LongestQuery = 4096;

    /// <summary>Answers a request.</summary>
    public ValueTask<HttpReply> Handle(HttpRequest request)
    {
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            return new(HttpReply.Text(StatusCodes.Status405MethodNotAllowed, "only GET: nothing is changed here\n"));
        return request.QueryString.Value?.Length > LongestQuery ? new(HttpReply.Text(StatusCodes.Status414UriTooLong, "the query is too long\n")) : pages(request);
    }
}
