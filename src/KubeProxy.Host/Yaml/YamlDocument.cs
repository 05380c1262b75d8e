namespace KubeProxy.Host.Yaml;

/// <summary>One document of a YAML stream, as JSON.</summary>
/// <param name="Json">The document as one line of UTF-8 JSON.</param>
/// <param name="Lines">Where the parts of <paramref name="Json"/> come from.</param>
/// <param name="FirstLine">The line, from 1, on which the document's content begins.</param>
public sealed record YamlDocument(ReadOnlyMemory<byte> Json, LineMap Lines, int FirstLine)
{
    /// <summary>Whether the document holds nothing but perhaps comments.</summary>
    public bool IsEmpty => Json.Span.SequenceEqual("null"u8);
}
