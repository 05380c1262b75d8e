using System.Text.Json.Nodes;

namespace KubeProxy.TestKit.Api;

/// <summary>One version of an object.</summary>
public sealed class StoredObject
{
    private readonly JsonObject _json;

    public StoredObject(string key, long version, JsonObject json, string kind, string apiVersion)
    {
        (Key, Version, _json) = (key, version, json);
        json.Remove("kind");
        json.Remove("apiVersion");
        (json["metadata"] ??= new JsonObject())["resourceVersion"] = version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Item = System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
        json["kind"] = kind;
        json["apiVersion"] = apiVersion;
        Alone = System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    /// <summary>Bytes that are sent instead of a valid object; its labels and fields are those of <paramref name="like"/>.</summary>
    public StoredObject(string key, long version, byte[] raw, JsonObject like) => (Key, Version, _json, Item, Alone) = (key, version, like, raw, raw);

    /// <summary><c>namespace/name</c>, or the name.</summary>
    public string Key { get; }

    public long Version { get; }

    /// <summary>As an item of a list: without kind.</summary>
    public byte[] Item { get; }

    /// <summary>As the object of an event.</summary>
    public byte[] Alone { get; }

    public bool HasLabel(string name, out string value)
    {
        var node = _json["metadata"]?["labels"]?[name];
        value = node?.GetValue<string>() ?? "";
        return node is not null;
    }

    public string Field(string path)
    {
        JsonNode? node = _json;
        foreach (var part in path.Split('.')) node = node is JsonObject parent ? parent[part] : null;
        return node?.ToString() ?? "";
    }

    public StoredObject AtVersion(long version)
    {
        var json = (JsonObject)_json.DeepClone();
        return new StoredObject(Key, version, json, json["kind"]?.GetValue<string>() ?? "", json["apiVersion"]?.GetValue<string>() ?? "");
    }
}
