using System.Net;

namespace KubeProxy.Kubernetes;

/// <summary>A request to the API server failed: refused by the server, or the connection did.</summary>
public sealed class ApiRequestException : Exception
{
    /// <summary>Makes the exception.</summary>
    public ApiRequestException() { }

    /// <summary>Makes the exception.</summary>
    public ApiRequestException(string message) : base(message) { }

    /// <summary>Makes the exception.</summary>
    public ApiRequestException(string message, Exception? innerException) : base(message, innerException) { }

    /// <summary>The status that the server answered, or that came in an ERROR event; null when the connection failed.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary><c>reason</c> of the server's Status, such as <c>Expired</c> or <c>Forbidden</c>; may be empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The resource version asked for is not known any more (410).</summary>
    public bool IsGone => StatusCode == HttpStatusCode.Gone;

    /// <summary>The resource version asked for is newer than anything the server has.</summary>
    public bool IsTooNew { get; init; }

    /// <summary>The server said nothing for too long.</summary>
    public bool IsStall { get; init; }

    internal static ApiRequestException Broken(string message, Exception? inner = null) => new(message, inner);

    internal static ApiRequestException Stalled(TimeSpan limit) =>
        new($"the server sent nothing for {limit.TotalSeconds:0.###} s") { IsStall = true };

    /// <summary>Of a Status, be it the body of a response or the object of an ERROR event.</summary>
    internal static ApiRequestException Of(ApiStatus status, HttpStatusCode? code, TimeSpan? retryAfter)
    {
        var effective = code ?? (status.Code is { } number ? (HttpStatusCode)number : null);
        var text =
            status.Message is { Length: > 0 } message ? message : status.Reason ?? effective?.ToString() ?? "no reason given";
        return new ApiRequestException(effective is null ? text : $"{(int)effective} {text}")
        {
            StatusCode = effective,
            Reason = status.Reason ?? "",
            RetryAfter =
                retryAfter ?? (status.Details?.RetryAfterSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null),
            IsTooNew = status.Details?.Causes?.Any(cause => cause?.Reason == "ResourceVersionTooLarge") == true,
        };
    }
}

/// <summary>Tells failures of a connection, which are retried, from bugs, which are not.</summary>
internal static class ApiFailures
{
    public static bool IsConnection(Exception e) =>
        e is HttpRequestException or IOException or InvalidDataException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException
            or System.Net.Sockets.SocketException;

    /// <summary>What happened, outermost first: the cause of a TLS failure is in the innermost message.</summary>
    public static string Describe(Exception e)
    {
        var messages = new List<string>();
        for (Exception? at = e; at is not null; at = at.InnerException)
        {
            var message = at.Message.Replace(", see inner exception", "", StringComparison.Ordinal).TrimEnd('.');
            if (!messages.Any(known => known.Contains(message, StringComparison.Ordinal))) messages.Add(message);
        }

        return string.Join(": ", messages);
    }
}
