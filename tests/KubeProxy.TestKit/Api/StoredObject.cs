using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace KubeProxy.TestKit.Api;

/// <summary>One version of an object.</summary>
public sealed class StoredObject
{
    private readonly JsonObject _json;
    private readonly Lazy<byte[]> _protobuf;
    private readonly Lazy<StoredObject> _bare;

    public StoredObject(string key, long version, JsonObject json, string kind, string apiVersion)
    {
        (Key, Version, _json, Kind, ApiVersion) = (key, version, json, kind, apiVersion);
        json.Remove("kind");
        json.Remove("apiVersion");
        (json["metadata"] ??= new JsonObject())["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        Item = Encoding.UTF8.GetBytes(json.ToJsonString());
        json["kind"] = kind;
        json["apiVersion"] = apiVersion;
        Alone = Encoding.UTF8.GetBytes(json.ToJsonString());
        _protobuf = new(() => ProtobufWriter.Encode(kind, json));
        _bare = new(() =>
        {
            var copy = (JsonObject)json.DeepClone();
            copy["metadata"]!.AsObject().Remove("managedFields");
            return new StoredObject(key, version, copy, kind, apiVersion);
        });
    }

    /// <summary>As <paramref name="like"/>, but what is sent is malformed.</summary>
    /// <param name="like">The object, whose labels and fields decide who gets to see it.</param>
    /// <param name="json">Sent as JSON.</param>
    /// <param name="protobufTail">Sent after the object as protobuf, where fields that come last are those that count.</param>
    public StoredObject(StoredObject like, byte[] json, byte[] protobufTail)
    {
        (Key, Version, _json, Kind, ApiVersion) = (like.Key, like.Version, like._json, like.Kind, like.ApiVersion);
        (Item, Alone) = (json, json);
        _protobuf = new(() => [.. like.Protobuf, .. protobufTail]);
        _bare = new(() => this);
    }

    /// <summary><c>namespace/name</c>, or the name.</summary>
    public string Key { get; }

    public long Version { get; }

    public string Kind { get; }

    public string ApiVersion { get; }

    /// <summary>As an item of a list: without kind.</summary>
    public byte[] Item { get; }

    /// <summary>As the object of an event.</summary>
    public byte[] Alone { get; }

    /// <summary>As protobuf, without an envelope.</summary>
    public byte[] Protobuf => _protobuf.Value;

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

    /// <summary>The same without <c>metadata.managedFields</c>.</summary>
    public StoredObject WithoutManagedFields => _bare.Value;

    public StoredObject AtVersion(long version) => new(Key, version, (JsonObject)_json.DeepClone(), Kind, ApiVersion);
}
