namespace KubeProxy.Core.Kubernetes;

/// <summary>A document is no object that could be read: not JSON, or a field of the wrong type.</summary>
public sealed class KubernetesObjectException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="kind">The document's <c>kind</c>, as far as it could be read.</param>
    /// <param name="name"><c>namespace/name</c>, as far as it could be read.</param>
    /// <param name="field">The JSON path of the field, for example <c>spec.ports[0].port</c>; empty for the whole document.</param>
    /// <param name="reason">What is wrong with it.</param>
    /// <param name="innerException">The parser's exception.</param>
    public KubernetesObjectException(string kind, string name, string field, string reason, Exception? innerException = null)
        : base(Describe(kind, name, field, reason), innerException) =>
        (Kind, Name, Field, Reason) = (kind, name, field, reason);

    /// <summary>Makes the exception.</summary>
    public KubernetesObjectException() : this("", "", "", "") { }

    /// <summary>Makes the exception.</summary>
    public KubernetesObjectException(string message) : this("", "", "", message) { }

    /// <summary>Makes the exception.</summary>
    public KubernetesObjectException(string message, Exception innerException) : this("", "", "", message, innerException) { }

    /// <summary>The document's <c>kind</c>; empty if it has none.</summary>
    public string Kind { get; }

    /// <summary><c>namespace/name</c> of the object; empty if it has none.</summary>
    public string Name { get; }

    /// <summary>The JSON path of the field; empty for the whole document.</summary>
    public string Field { get; }

    /// <summary>What is wrong, without the identity.</summary>
    public string Reason { get; }

    private static string Describe(string kind, string name, string field, string reason)
    {
        var identity = string.Join(' ', new[] { kind, name, field }.Where(part => part.Length > 0));
        return identity.Length == 0 ? reason : $"{identity}: {reason}";
    }
}
