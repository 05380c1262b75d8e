using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>Answers a request. Thread-safe; gives up when the client has gone (<c>HttpContext.RequestAborted</c>).</summary>
internal delegate ValueTask<HttpReply> HttpHandler(HttpRequest request);
