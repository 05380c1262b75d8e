using System.Text;
using System.Text.Json;
using KubeProxy.Core.Manifests;

namespace KubeProxy.Host.Yaml;

/// <summary>Files named <c>*.yaml</c> or <c>*.yml</c>: one or many documents. For <see cref="ManifestSource"/>.</summary>
public sealed class YamlManifestFormat : IManifestFormat
{
    /// <inheritdoc/>
    public bool CanRead(string fileName)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        return fileName.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || fileName.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ManifestDocument> Read(ReadOnlyMemory<byte> content)
    {
        using var text = new StreamReader(new MemoryStream(content.ToArray(), writable: false), Encoding.UTF8);
        var whole = text.ReadToEnd();
        List<ManifestDocument> result = [];
        if (ReadInto(result, whole, 0, 0, out _)) return result;
        // A parser cannot go on after an error. Each document by itself is parsed again, so that only the broken one is lost.
        result.Clear();
        var index = 0;
        foreach (var (part, firstLine) in Parts(whole)) ReadInto(result, part, index, firstLine, out index);
        return result;
    }

    /// <returns>Whether nothing was broken.</returns>
    private static bool ReadInto(List<ManifestDocument> result, string text, int before, int firstLine, out int index)
    {
        index = before;
        try
        {
            foreach (var document in YamlReader.Read(new StringReader(text)))
            {
                index++;
                if (document.IsEmpty) continue;
                var reader = new Utf8JsonReader(document.Json.Span);
                result.Add(new ManifestDocument(index, firstLine + document.FirstLine, JsonElement.ParseValue(ref reader)));
            }

            return true;
        }
        catch (YamlFormatException problem)
        {
            result.Add(new ManifestDocument(++index, firstLine + (int)problem.Line, default) { Error = problem.Reason });
        }
        catch (JsonException problem)
        {
            result.Add(new ManifestDocument(index, 0, default) { Error = problem.Message });
        }

        return false;
    }

    /// <summary>
    /// The text cut before each line that begins a document (YAML 1.2, 9.1.2: three hyphens at its very beginning, which nothing in a document can
    /// have), with the number of lines before each. What holds comments and directives only is left out.
    /// </summary>
    private static IEnumerable<(string Text, int FirstLine)> Parts(string text)
    {
        var lines = text.Split('\n');
        for (int start = 0, end; start < lines.Length; start = end)
        {
            for (end = start + 1; end < lines.Length && !BeginsDocument(lines[end]); end++) { }
            if (lines[start..end].Any(line => line.Trim() is not "" and not ['#' or '%', ..])) yield return (string.Join('\n', lines[start..end]), start);
        }
    }

    private static bool BeginsDocument(string line) => line.StartsWith("---", StringComparison.Ordinal) && (line.Length == 3 || char.IsWhiteSpace(line[3]));
}
