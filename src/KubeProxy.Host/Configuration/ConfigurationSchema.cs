using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KubeProxy.Host.Yaml;

namespace KubeProxy.Host.Configuration;

/// <summary>
/// Compares JSON with the generated contract, field by field, so that everything wrong is reported at once and with its
/// line, where the binder would stop at the first. Unknown and repeated fields are kept apart: they are forgiven.
/// </summary>
internal sealed class ConfigurationSchema(LineMap lines)
{
    private readonly List<ConfigurationProblem> _errors = [];
    private readonly List<ConfigurationProblem> _strictness = [];

    /// <summary>Values of a wrong type.</summary>
    public IReadOnlyList<ConfigurationProblem> Errors => _errors;

    /// <summary>Unknown and repeated fields.</summary>
    public IReadOnlyList<ConfigurationProblem> Strictness => _strictness;

    /// <summary>Checks a document against its contract.</summary>
    public void Check(ReadOnlySpan<byte> json, JsonTypeInfo contract)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        CheckValue(ref reader, contract, null, "");
    }

    private void CheckValue(ref Utf8JsonReader reader, JsonTypeInfo contract, JsonPropertyInfo? property, string path)
    {
        if (reader.TokenType == JsonTokenType.Null) return;
        switch (contract.Kind)
        {
            case JsonTypeInfoKind.Object: CheckObject(ref reader, contract, path); break;
            case JsonTypeInfoKind.Dictionary: CheckDictionary(ref reader, contract, path); break;
            case JsonTypeInfoKind.Enumerable: CheckList(ref reader, contract, path); break;
            default: CheckScalar(ref reader, contract, property, path); break;
        }
    }

    private void CheckObject(ref Utf8JsonReader reader, JsonTypeInfo contract, string path)
    {
        if (!Expect(ref reader, JsonTokenType.StartObject, "expected a mapping", path)) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var child = Join(path, name);
            if (!seen.Add(name)) Report(_strictness, ref reader, child, "field is given more than once; the last one counts");
            var property = contract.Properties.FirstOrDefault(candidate => candidate.Name == name);
            if (property is null) Report(_strictness, ref reader, child, "unknown field");
            reader.Read();
            if (property is null) reader.Skip();
            else CheckValue(ref reader, contract.Options.GetTypeInfo(property.PropertyType), property, child);
        }
    }

    private void CheckDictionary(ref Utf8JsonReader reader, JsonTypeInfo contract, string path)
    {
        if (!Expect(ref reader, JsonTokenType.StartObject, "expected a mapping", path)) return;
        var values = contract.Options.GetTypeInfo(contract.ElementType!);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var child = Join(path, reader.GetString()!);
            if (!seen.Add(child)) Report(_strictness, ref reader, child, "key is given more than once; the last one counts");
            reader.Read();
            CheckValue(ref reader, values, null, child);
        }
    }

    private void CheckList(ref Utf8JsonReader reader, JsonTypeInfo contract, string path)
    {
        if (!Expect(ref reader, JsonTokenType.StartArray, "expected a list", path)) return;
        var items = contract.Options.GetTypeInfo(contract.ElementType!);
        for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            // In a list of texts nothing stands for the empty text; a mapping that is not there says nothing.
            if (reader.TokenType == JsonTokenType.Null && items.Kind == JsonTypeInfoKind.Object)
                Report(_errors, ref reader, $"{path}[{index}]", "expected a mapping, found null");
            else CheckValue(ref reader, items, null, $"{path}[{index}]");
        }
    }

    private void CheckScalar(ref Utf8JsonReader reader, JsonTypeInfo contract, JsonPropertyInfo? property, string path)
    {
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            Report(_errors, ref reader, path, $"{Expectation(contract.Type)}, found a {(reader.TokenType is JsonTokenType.StartArray ? "list" : "mapping")}");
            reader.Skip();
            return;
        }

        try
        {
            var copy = reader;
            if (property?.CustomConverter is JsonConverter<GoDuration> converter) converter.Read(ref copy, contract.Type, contract.Options);
            else if (JsonSerializer.Deserialize(ref copy, contract) is float number && !float.IsFinite(number))
                Report(_errors, ref reader, path, $"expected a number within 3.4e38, found {Found(ref reader)}");
        }
        catch (JsonException)
        {
            Report(_errors, ref reader, path, $"{Expectation(contract.Type)}, found {Found(ref reader)}");
        }
    }

    private bool Expect(ref Utf8JsonReader reader, JsonTokenType expected, string expectation, string path)
    {
        if (reader.TokenType == expected) return true;
        Report(_errors, ref reader, path.Length == 0 ? "document" : path, $"{expectation}, found {Found(ref reader)}");
        reader.Skip();
        return false;
    }

    private void Report(List<ConfigurationProblem> problems, ref Utf8JsonReader reader, string path, string reason) =>
        problems.Add(new ConfigurationProblem(path, reason, lines.LineAt(reader.TokenStartIndex)));

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Found(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartArray => "a list",
        JsonTokenType.StartObject => "a mapping",
        JsonTokenType.String => $"the string \"{reader.GetString()}\"",
        _ => JsonElement.ParseValue(ref reader).GetRawText(),
    };

    private static string Expectation(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(string)) return "expected a string";
        if (plain == typeof(bool)) return "expected true or false";
        if (plain == typeof(GoDuration)) return "expected a duration such as \"30s\" or \"1m30s\"";
        if (plain == typeof(Quantity)) return "expected a quantity such as \"64Ki\"";
        if (plain == typeof(float)) return "expected a number";
        return plain == typeof(uint) ? "expected a whole number from 0 to 4294967295" : "expected a whole number of 32 bits";
    }
}
