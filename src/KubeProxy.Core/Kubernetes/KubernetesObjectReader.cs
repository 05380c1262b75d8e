using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Kubernetes;

/// <summary>Reads objects from JSON. Thread-safe; keep one, its cache shares the strings of what it reads.</summary>
public sealed class KubernetesObjectReader
{
    private readonly KubernetesJsonContext _contracts;
    private readonly EndpointSliceParser? _slices;

    /// <summary>Makes a reader.</summary>
    public KubernetesObjectReader() : this(wellKnownOnly: false) { }

    private KubernetesObjectReader(bool wellKnownOnly)
    {
        var strings = new PooledStringConverter(new StringCache());
        var options = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { strings } };
        if (wellKnownOnly)
        {
            var entries = new WellKnownEntriesConverter(strings);
            options.Converters.Add(entries);
            _slices = new EndpointSliceParser(strings, entries);
        }

        _contracts = new KubernetesJsonContext(options);
    }

    /// <summary>A reader that leaves out labels and annotations without a meaning to a proxy, which are most of them.</summary>
    public static KubernetesObjectReader ForApi() => new(wellKnownOnly: true);

    /// <summary>Reads one object whose kind is known, as the items of a list response are.</summary>
    /// <exception cref="KubernetesObjectException">The document is not such an object.</exception>
    public KubernetesObject Read(ObjectKind kind, ReadOnlySpan<byte> utf8)
    {
        if (kind == ObjectKind.EndpointSlice && _slices?.TryParse(utf8) is { } slice) return slice;
        try
        {
            return KubernetesObject.RequireName(kind, JsonSerializer.Deserialize(utf8, ContractOf(kind)) as KubernetesObject);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Failure(kind.ToName(), "", e);
        }
    }

    /// <summary>Reads one object whose kind is known.</summary>
    /// <exception cref="KubernetesObjectException">The document is not such an object.</exception>
    public KubernetesObject Read(ObjectKind kind, JsonElement element)
    {
        try
        {
            return KubernetesObject.RequireName(kind, element.Deserialize(ContractOf(kind)) as KubernetesObject);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Failure(kind.ToName(), IdentityOf(element), e);
        }
    }

    /// <summary>Reads a document: an object, or a list of objects. See <see cref="ReadDocument(JsonElement)"/>.</summary>
    public IReadOnlyList<DocumentItem> ReadDocument(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            return ReadDocument(document.RootElement);
        }
        catch (JsonException e)
        {
            return [new DocumentItem { Error = Failure("", "", e) }];
        }
    }

    /// <summary>Reads a document: an object, or a list of objects. See <see cref="ReadDocument(JsonElement)"/>.</summary>
    public IReadOnlyList<DocumentItem> ReadDocument(JsonNode? node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            if (node is null) writer.WriteNullValue();
            else node.WriteTo(writer);
        }

        return ReadDocument(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    /// <summary>
    /// Reads a document: an object, or a list of objects (kind <c>List</c>, <c>ServiceList</c> and so on). Never throws:
    /// each item is an object, an error, or of a kind that a proxy has no use for.
    /// </summary>
    public IReadOnlyList<DocumentItem> ReadDocument(JsonElement element)
    {
        var items = new List<DocumentItem>();
        ReadInto(element, null, "", items);
        return items;
    }

    /// <param name="element">What is read.</param>
    /// <param name="impliedKind">Its kind if it does not say; null for none.</param>
    /// <param name="path">Where it stands in its document: empty, or for example <c>items[3].</c>.</param>
    /// <param name="items">Where what is read goes.</param>
    private void ReadInto(JsonElement element, ObjectKind? impliedKind, string path, List<DocumentItem> items)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            items.Add(new DocumentItem { Error = path.Length == 0 ? new("", "", "", "the document is not an object") : new("", "", path.TrimEnd('.'), "is not an object") });
            return;
        }

        var kindName = TextOf(element, "kind");
        var apiVersion = TextOf(element, "apiVersion");
        if (kindName is null && impliedKind is { } implied) items.Add(ReadItem(implied, element));
        else if (kindName is null) items.Add(new DocumentItem { Error = new("", IdentityOf(element), $"{path}kind", "missing") });
        else if (ObjectKinds.TryParse(kindName, apiVersion, out var kind)) items.Add(ReadItem(kind, element));
        else if (impliedKind is null && IsList(kindName, apiVersion, out var itemKind))
            ReadList(element, kindName, itemKind, path, items);
        else
            items.Add(new DocumentItem { UnknownKind = $"{apiVersion} {kindName}".TrimStart(), Name = IdentityOf(element), NamesakeOf = ObjectKinds.Namesake(kindName) });
    }

    private void ReadList(JsonElement element, string kindName, ObjectKind? itemKind, string path, List<DocumentItem> items)
    {
        if (!element.TryGetProperty("items", out var list) || list.ValueKind == JsonValueKind.Null) return;
        if (list.ValueKind != JsonValueKind.Array)
        {
            items.Add(new DocumentItem { Error = new(kindName, "", $"{path}items", "is not a list") });
            return;
        }

        var index = 0;
        foreach (var item in list.EnumerateArray()) ReadInto(item, itemKind, string.Create(CultureInfo.InvariantCulture, $"{path}items[{index++}]."), items);
    }

    private DocumentItem ReadItem(ObjectKind kind, JsonElement element)
    {
        try
        {
            return new DocumentItem { Object = Read(kind, element) };
        }
        catch (KubernetesObjectException e)
        {
            return new DocumentItem { Error = e };
        }
    }

    private static bool IsList(string kindName, string? apiVersion, out ObjectKind? itemKind)
    {
        itemKind = null;
        if (kindName == "List") return true;
        if (!kindName.EndsWith("List", StringComparison.Ordinal)) return false;
        if (!ObjectKinds.TryParse(kindName[..^4], apiVersion, out var kind)) return false;
        itemKind = kind;
        return true;
    }

    private JsonTypeInfo ContractOf(ObjectKind kind) => kind switch
    {
        ObjectKind.Service => _contracts.Service,
        ObjectKind.EndpointSlice => _contracts.EndpointSlice,
        ObjectKind.Node => _contracts.Node,
        _ => _contracts.ServiceCIDR,
    };

    private static KubernetesObjectException Failure(string kind, string name, Exception e)
    {
        var path = (e as JsonException)?.Path ?? "";
        path = path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path.TrimStart('$');
        return new KubernetesObjectException(kind, name, path, ReasonOf(e), e);
    }

    /// <summary>The serializer's own messages name .NET types, which say nothing to an operator.</summary>
    private static string ReasonOf(Exception e)
    {
        if (e is FieldException) return e.Message;
        if (e is JsonException { Path: { Length: > 1 } } and not { InnerException: JsonException })
            return "the value is of the wrong type or out of range";
        var message = (e.InnerException as JsonException ?? e).Message;
        var cut = message.IndexOf(" Path: ", StringComparison.Ordinal);
        return cut < 0 ? message : message[..cut];
    }

    private static string IdentityOf(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty("metadata", out var metadata)) return "";
        if (metadata.ValueKind != JsonValueKind.Object || TextOf(metadata, "name") is not { } name) return "";
        return new NamespacedName(TextOf(metadata, "namespace") ?? "", name).ToString();
    }

    private static string? TextOf(JsonElement element, string property)
    {
        if (!element.TryGetProperty(property, out var value) || value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // Not UTF-8; reading the object reports it.
        }
    }
}

/// <summary>
/// One item of a document: exactly one of <see cref="Object"/>, <see cref="Error"/>, <see cref="UnknownKind"/> is set.
/// </summary>
public sealed record DocumentItem
{
    /// <summary>The object.</summary>
    public KubernetesObject? Object { get; init; }

    /// <summary>Why the item could not be read.</summary>
    public KubernetesObjectException? Error { get; init; }

    /// <summary><c>apiVersion kind</c> of an item that a proxy has no use for.</summary>
    public string? UnknownKind { get; init; }

    /// <summary>The name of an item of an unknown kind; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>The kind that has the name of an unknown one, but another group, so that the wrong <c>apiVersion</c> may be meant; null for none.</summary>
    public ObjectKind? NamesakeOf { get; init; }
}
