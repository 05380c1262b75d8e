namespace KubeProxy.Kubernetes.Access;

/// <summary>How to reach the API server, or who we are, cannot be read. The message names file and field.</summary>
public sealed class ApiAccessException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="file">The file that is wrong, or the environment variable.</param>
    /// <param name="field">The field in it, such as <c>users[0].user.token</c>; empty for the whole file.</param>
    /// <param name="reason">What is wrong with it.</param>
    /// <param name="innerException">What the system said.</param>
    public ApiAccessException(string file, string field, string reason, Exception? innerException = null)
        : base(string.Join(": ", new[] { file, field, reason }.Where(part => part.Length > 0)), innerException) =>
        (File, Field, Reason) = (file, field, reason);

    /// <summary>Makes the exception.</summary>
    public ApiAccessException() : this("", "", "") { }

    /// <summary>Makes the exception.</summary>
    public ApiAccessException(string message) : this("", "", message) { }

    /// <summary>Makes the exception.</summary>
    public ApiAccessException(string message, Exception innerException) : this("", "", message, innerException) { }

    /// <summary>The file, or the environment variable.</summary>
    public string File { get; }

    /// <summary>The field in it; empty for the whole file.</summary>
    public string Field { get; }

    /// <summary>What is wrong.</summary>
    public string Reason { get; }
}
