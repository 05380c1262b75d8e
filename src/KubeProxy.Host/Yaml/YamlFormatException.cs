namespace KubeProxy.Host.Yaml;

/// <summary>A text is not YAML, or uses something of YAML that Kubernetes objects cannot hold.</summary>
public sealed class YamlFormatException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="line">The line, from 1.</param>
    /// <param name="column">The column, from 1.</param>
    /// <param name="reason">What is wrong, without the position.</param>
    /// <param name="innerException">The cause.</param>
    public YamlFormatException(long line, long column, string reason, Exception? innerException = null)
        : base($"line {line}, column {column}: {reason}", innerException) => (Line, Column, Reason) = (line, column, reason);

    /// <summary>The line, from 1.</summary>
    public long Line { get; }

    /// <summary>The column, from 1.</summary>
    public long Column { get; }

    /// <summary>What is wrong, without the position.</summary>
    public string Reason { get; }
}
