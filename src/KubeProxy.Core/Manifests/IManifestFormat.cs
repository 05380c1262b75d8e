using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeProxy.Core.Manifests;

/// <summary>Reads a file format into documents. JSON is built in; others, such as YAML, are plugged in.</summary>
public interface IManifestFormat
{
    /// <summary>Whether a file is of the format, by its name.</summary>
    bool CanRead(string fileName);

    /// <summary>
    /// Splits the content of a file into documents; empty documents are left out. One that is broken is among them with its
    /// <see cref="ManifestDocument.Error"/>, so that the others are of use.
    /// </summary>
    /// <exception cref="ManifestFormatException">Nothing of the content is of the format.</exception>
    IReadOnlyList<ManifestDocument> Read(ReadOnlyMemory<byte> content);
}

/// <summary>One document of a file.</summary>
/// <param name="Index">Its number in the file, from 1.</param>
/// <param name="Line">The line where it begins, from 1.</param>
/// <param name="Content">Its content as JSON; has to stay valid (cloned, or of a document that is not disposed).</param>
public sealed record ManifestDocument(int Index, int Line, JsonElement Content)
{
    /// <summary>Why it cannot be read; null when it can. A document with an error has no content.</summary>
    public string? Error { get; init; }

    /// <summary>Makes a document of JSON nodes.</summary>
    public static ManifestDocument FromNode(int index, int line, JsonNode? content)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            if (content is null) writer.WriteNullValue();
            else content.WriteTo(writer);
        }

        var reader = new Utf8JsonReader(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        return new ManifestDocument(index, line, JsonElement.ParseValue(ref reader));
    }
}

/// <summary>The content of a file is not of its format.</summary>
public sealed class ManifestFormatException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="document">The number of the broken document, from 1; 0 if unknown.</param>
    /// <param name="line">The line, from 1; 0 if unknown.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">The parser's exception.</param>
    public ManifestFormatException(int document, int line, string message, Exception? innerException = null)
        : base(message, innerException) => (Document, Line) = (document, line);

    /// <summary>Makes the exception.</summary>
    public ManifestFormatException() { }

    /// <summary>Makes the exception.</summary>
    public ManifestFormatException(string message) : base(message) { }

    /// <summary>Makes the exception.</summary>
    public ManifestFormatException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>The number of the broken document, from 1; 0 if unknown.</summary>
    public int Document { get; }

    /// <summary>The line, from 1; 0 if unknown.</summary>
    public int Line { get; }
}
