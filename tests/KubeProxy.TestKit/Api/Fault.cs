namespace KubeProxy.TestKit.Api;

/// <summary>Something that goes wrong with one request.</summary>
public abstract record Fault
{
    /// <summary>An error instead of the response.</summary>
    public sealed record Refuse(int Code, string Reason = "", TimeSpan? RetryAfter = null) : Fault;

    /// <summary>The connection is cut after so many bytes of the body, be it in the middle of an object.</summary>
    public sealed record CutAfter(int Bytes) : Fault;

    /// <summary>After so many bytes of the body nothing more comes, not even the end.</summary>
    public sealed record StallAfter(int Bytes) : Fault;

    /// <summary>After so many events of a watch comes an ERROR event.</summary>
    public sealed record ErrorEvent(int AfterEvents, int Code = 410, string Reason = "Expired") : Fault;

    /// <summary>The body comes in pieces of so many bytes.</summary>
    public sealed record Dribble(int Bytes) : Fault;

    /// <summary>The connection is cut instead of a response.</summary>
    public sealed record Drop : Fault;
}

/// <summary>A request that the server got.</summary>
/// <param name="Number">From 1, in the order of arrival.</param>
/// <param name="Resource">The name of the resource, such as <c>services</c>.</param>
/// <param name="IsWatch">Whether it is a watch.</param>
/// <param name="Query">The parameters.</param>
/// <param name="Authorization">The header.</param>
/// <param name="Protocol">HTTP/1.1 or HTTP/2.</param>
public sealed record FakeRequest(int Number, string Resource, bool IsWatch, IReadOnlyDictionary<string, string> Query, string? Authorization, string Protocol)
{
    public string? Get(string parameter) => Query.GetValueOrDefault(parameter);

    /// <summary>A watch that begins with the initial state.</summary>
    public bool IsStream => Get("sendInitialEvents") == "true";

    /// <summary>The API group, such as <c>discovery.k8s.io</c>; empty for the core.</summary>
    public string Group { get; init; } = "";

    /// <summary>The certificate of the client; null for none.</summary>
    public string? ClientName { get; init; }

    /// <summary>The header <c>User-Agent</c>; empty for none.</summary>
    public string UserAgent { get; init; } = "";

    /// <summary>The header <c>Accept-Encoding</c>; empty for none.</summary>
    public string AcceptEncoding { get; init; } = "";

    /// <summary>The body of a POST.</summary>
    public string Body { get; init; } = "";
}
