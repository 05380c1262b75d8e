using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeProxy.Kubernetes.Access;

/// <summary>An object in a kubeconfig, which knows where it is, for messages.</summary>
internal readonly struct KubeconfigNode
{
    private readonly JsonObject _object;
    private readonly string _file;
    private readonly string _path;

    private KubeconfigNode(JsonObject value, string file, string path) => (_object, _file, _path) = (value, file, path);

    public string File => _file;

    public JsonObject Json => _object;

    public static KubeconfigNode Root(JsonNode? node, string file) => node switch
    {
        JsonObject value => new KubeconfigNode(value, file, ""),
        null => throw new ApiAccessException(file, "", "is empty"),
        _ => throw new ApiAccessException(file, "", "is not a kubeconfig: not an object"),
    };

    public string PathOf(string field) => _path.Length == 0 ? field : $"{_path}.{field}";

    public ApiAccessException Failure(string field, string reason, Exception? inner = null) =>
        new(_file, PathOf(field), reason, inner);

    /// <summary>A string; null when missing, null or empty.</summary>
    public string? Text(string field) => _object[field] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String =>
            value.GetValue<string>() is { Length: > 0 } text ? text : null,
        _ => throw Failure(field, "is not a string (put it in quotes)"),
    };

    public string RequiredText(string field) => Text(field) ?? throw Failure(field, "missing");

    public bool Flag(string field) => _object[field] switch
    {
        null => false,
        JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => value.GetValue<bool>(),
        _ => throw Failure(field, "is neither true nor false"),
    };

    public KubeconfigNode? Child(string field) => _object[field] switch
    {
        null => null,
        JsonObject child => new KubeconfigNode(child, _file, PathOf(field)),
        _ => throw Failure(field, "is not an object"),
    };

    public IReadOnlyList<KubeconfigNode> Children(string field)
    {
        var result = new List<KubeconfigNode>();
        foreach (var (item, index) in Items(field))
        {
            var path = PathOf($"{field}[{index}]");
            if (item is not JsonObject child) throw new ApiAccessException(_file, path, "is not an object");
            result.Add(new KubeconfigNode(child, _file, path));
        }

        return result;
    }

    public IReadOnlyList<string> Texts(string field)
    {
        var result = new List<string>();
        foreach (var (item, index) in Items(field))
        {
            result.Add(item is JsonValue value && value.GetValueKind() == JsonValueKind.String
                ? value.GetValue<string>()
                : throw Failure($"{field}[{index}]", "is not a string (put it in quotes)"));
        }

        return result;
    }

    /// <summary>Content that is in a field (base64), or in a file that another field names; the data goes first.</summary>
    public SecretContent? Content(string dataField, string fileField)
    {
        if (Text(dataField) is { } data)
        {
            try
            {
                return SecretContent.OfData(Convert.FromBase64String(data), _file, PathOf(dataField));
            }
            catch (FormatException e)
            {
                throw Failure(dataField, "is not base64", e);
            }
        }

        return Text(fileField) is { } path ? SecretContent.OfFile(Resolve(path), _file, PathOf(fileField)) : null;
    }

    /// <summary>Paths in a kubeconfig are relative to it.</summary>
    public string Resolve(string path) => Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(_file)) ?? "/");

    private IEnumerable<(JsonNode? Item, int Index)> Items(string field) => _object[field] switch
    {
        null => [],
        JsonArray list => list.Select((item, index) => (item, index)),
        _ => throw Failure(field, "is not a list"),
    };
}
