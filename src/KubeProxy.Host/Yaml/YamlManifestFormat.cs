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
        List<ManifestDocument> result = [];
        var index = 0;
        try
        {
            using var text = new StreamReader(new MemoryStream(content.ToArray(), writable: false), Encoding.UTF8);
            foreach (var document in YamlReader.Read(text))
            {
                index++;
                if (document.IsEmpty) continue;
                var reader = new Utf8JsonReader(document.Json.Span);
                result.Add(new ManifestDocument(index, document.FirstLine, JsonElement.ParseValue(ref reader)));
            }
        }
        catch (YamlFormatException problem)
        {
            throw new ManifestFormatException(index + 1, (int)problem.Line, problem.Reason, problem);
        }
        catch (JsonException problem)
        {
            throw new ManifestFormatException(index, 0, problem.Message, problem);
        }

        return result;
    }
}
