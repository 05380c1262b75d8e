using System.Text.Json;
using System.Text.Json.Nodes;
using KubeProxy.Host.Yaml;

namespace KubeProxy.Host.Configuration;

/// <summary>
/// Reads and writes <see cref="KubeProxyConfiguration"/> as YAML or JSON. Fields that are unknown or given twice are
/// forgiven with a warning; anything else wrong is an error, and all errors are reported together.
/// </summary>
public static class ConfigurationFile
{
    /// <summary>Reads a file, without defaults.</summary>
    /// <param name="path">The file.</param>
    /// <param name="warnings">What was forgiven.</param>
    /// <exception cref="ConfigurationException">The file cannot be read, or is not a configuration.</exception>
    public static KubeProxyConfiguration Read(string path, out IReadOnlyList<ConfigurationProblem> warnings)
    {
        try
        {
            return Parse(File.ReadAllText(path), path, out warnings);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(null, [new ConfigurationProblem("--config", problem.Message)]);
        }
    }

    /// <summary>Parses a text, without defaults.</summary>
    /// <param name="text">One YAML document, or JSON.</param>
    /// <param name="source">What to call the text in errors.</param>
    /// <param name="warnings">What was forgiven.</param>
    /// <exception cref="ConfigurationException">The text is not a configuration.</exception>
    public static KubeProxyConfiguration Parse(string text, string source, out IReadOnlyList<ConfigurationProblem> warnings)
    {
        var document = ReadDocument(text, source);
        var contract = ConfigurationJsonContext.Default.KubeProxyConfiguration;
        var schema = new ConfigurationSchema(document.Lines);
        schema.Check(document.Json.Span, contract);
        if (schema.Errors.Count > 0) throw new ConfigurationException(source, schema.Errors);

        var reader = new Utf8JsonReader(document.Json.Span);
        reader.Read();
        var configuration = Bind(Tidy(ref reader), source);
        CheckKind(configuration, source);
        warnings = schema.Strictness;
        return configuration;
    }

    // The schema has seen everything before. Should it and the binder ever disagree, that is the file's problem and not the process's.
    private static KubeProxyConfiguration Bind(JsonNode? document, string source)
    {
        try
        {
            return document.Deserialize(ConfigurationJsonContext.Default.KubeProxyConfiguration)
                ?? throw new ConfigurationException(source, [new ConfigurationProblem("document", "is empty")]);
        }
        catch (JsonException problem)
        {
            throw new ConfigurationException(source, [new ConfigurationProblem(problem.Path ?? "document", problem.Message)]);
        }
    }

    /// <summary>The configuration as YAML, all fields written out.</summary>
    public static string ToYaml(KubeProxyConfiguration configuration) =>
        YamlText.Write(JsonSerializer.SerializeToNode(configuration, ConfigurationJsonContext.Default.KubeProxyConfiguration));

    private static YamlDocument ReadDocument(string text, string source)
    {
        try
        {
            var documents = YamlReader.Read(new StringReader(text)).Where(document => !document.IsEmpty).Take(2).ToList();
            if (documents.Count == 1) return documents[0];
            var reason = documents.Count == 0 ? "is empty" : "holds more than one YAML document";
            throw new ConfigurationException(source, [new ConfigurationProblem("document", reason)]);
        }
        catch (YamlFormatException problem)
        {
            throw new ConfigurationException(source, [new ConfigurationProblem("document", problem.Reason, (int)problem.Line)]);
        }
    }

    /// <summary>
    /// Copies what the binder would stumble over differently from Kubernetes: an empty value means "not given", also where
    /// the type has no null, and in a list the empty text; of a repeated field the last one counts.
    /// </summary>
    private static JsonNode? Tidy(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var mapping = new JsonObject();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    if (reader.TokenType != JsonTokenType.Null) mapping[name] = Tidy(ref reader);
                }

                return mapping;
            case JsonTokenType.StartArray:
                var list = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    list.Add(reader.TokenType == JsonTokenType.Null ? JsonValue.Create("") : Tidy(ref reader)); // All are lists of texts.
                return list;
            default:
                return JsonValue.Create(JsonElement.ParseValue(ref reader));
        }
    }

    private static void CheckKind(KubeProxyConfiguration configuration, string source)
    {
        List<ConfigurationProblem> problems = [];
        if (configuration.ApiVersion != KubeProxyConfiguration.SupportedApiVersion)
            problems.Add(Unsupported("apiVersion", configuration.ApiVersion, KubeProxyConfiguration.SupportedApiVersion));
        if (configuration.Kind != KubeProxyConfiguration.SupportedKind)
            problems.Add(Unsupported("kind", configuration.Kind, KubeProxyConfiguration.SupportedKind));
        if (problems.Count > 0) throw new ConfigurationException(source, problems);
    }

    private static ConfigurationProblem Unsupported(string path, string found, string expected) =>
        new(path, $"expected {expected}, found {(found.Length == 0 ? "nothing" : found)}");
}
