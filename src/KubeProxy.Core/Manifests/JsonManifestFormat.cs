using System.Text.Json;

namespace KubeProxy.Core.Manifests;

/// <summary>Files named <c>*.json</c>: one or many JSON documents, one after the other.</summary>
public sealed class JsonManifestFormat : IManifestFormat
{
    private static readonly JsonReaderOptions Options = new() { AllowMultipleValues = true, CommentHandling = JsonCommentHandling.Skip };

    /// <inheritdoc/>
    public bool CanRead(string fileName)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        return fileName.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ManifestDocument> Read(ReadOnlyMemory<byte> content)
    {
        var utf8 = WithoutByteOrderMark(content.Span);
        var reader = new Utf8JsonReader(utf8, Options);
        var result = new List<ManifestDocument>();
        try
        {
            while (reader.Read())
            {
                var line = LineOf(utf8, (int)reader.TokenStartIndex);
                result.Add(new ManifestDocument(result.Count + 1, line, JsonElement.ParseValue(ref reader)));
            }
        }
        catch (JsonException e)
        {
            var error = $"{ReasonOf(e)}; what follows it in the file cannot be read";
            result.Add(new ManifestDocument(result.Count + 1, (int)(e.LineNumber ?? -1) + 1, default) { Error = error });
        }

        return result;
    }

    private static ReadOnlySpan<byte> WithoutByteOrderMark(ReadOnlySpan<byte> utf8) =>
        utf8.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8;

    private static int LineOf(ReadOnlySpan<byte> utf8, int position) => utf8[..position].Count((byte)'\n') + 1;

    private static string ReasonOf(JsonException e)
    {
        var cut = e.Message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        return cut < 0 ? e.Message : e.Message[..cut];
    }
}
