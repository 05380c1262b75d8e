using System.Text.Json;

namespace KubeProxy.Core.Kubernetes;

/// <summary>
/// Reads an EndpointSlice as API servers write it, several times faster than its contract does: these are most of what a proxy
/// ever reads. It gives up at anything unusual, be it valid or not; then the contract decides, which also knows what to say.
/// </summary>
internal sealed class EndpointSliceParser(PooledStringConverter strings, WellKnownEntriesConverter entries)
{
    private static readonly JsonSerializerOptions NoOptions = new();

    /// <summary>The slice; null when it needs a closer look.</summary>
    public EndpointSlice? TryParse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            var slice = reader.Read() ? ReadSlice(ref reader) : null;
            return slice is not null && !reader.Read() && !string.IsNullOrEmpty(slice.Metadata.Name) ? slice : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private EndpointSlice ReadSlice(ref Utf8JsonReader reader)
    {
        ObjectMeta metadata = new();
        string? addressType = null;
        IReadOnlyList<Endpoint> endpoints = [];
        IReadOnlyList<EndpointPort> ports = [];
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "metadata"u8)) metadata = ReadMetadata(ref reader);
            else if (Enter(ref reader, "addressType"u8)) addressType = Text(ref reader);
            else if (Enter(ref reader, "endpoints"u8)) endpoints = List(ref reader, ReadEndpoint);
            else if (Enter(ref reader, "ports"u8)) ports = List(ref reader, ReadPort);
            else reader.Skip();
        }

        return new EndpointSlice { Metadata = metadata, AddressType = addressType, Endpoints = endpoints, Ports = ports };
    }

    private ObjectMeta ReadMetadata(ref Utf8JsonReader reader)
    {
        string? name = null, space = null, uid = null, version = null;
        DateTimeOffset? created = null, deleted = null;
        Dictionary<string, string?>? labels = null, annotations = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "name"u8)) name = Unique(ref reader);
            else if (Enter(ref reader, "namespace"u8)) space = Text(ref reader);
            else if (Enter(ref reader, "uid"u8)) uid = Unique(ref reader);
            else if (Enter(ref reader, "resourceVersion"u8)) version = Unique(ref reader);
            else if (Enter(ref reader, "creationTimestamp"u8)) created = reader.GetDateTimeOffset();
            else if (Enter(ref reader, "deletionTimestamp"u8)) deleted = reader.GetDateTimeOffset();
            else if (Enter(ref reader, "labels"u8)) labels = Entries(ref reader);
            else if (Enter(ref reader, "annotations"u8)) annotations = Entries(ref reader);
            else reader.Skip();
        }

        return new ObjectMeta
        {
            Name = name,
            Namespace = space,
            Uid = uid,
            ResourceVersion = version,
            CreationTimestamp = created,
            DeletionTimestamp = deleted,
            Labels = labels,
            Annotations = annotations,
        };
    }

    private Endpoint ReadEndpoint(ref Utf8JsonReader reader)
    {
        IReadOnlyList<string> addresses = [];
        EndpointConditions? conditions = null;
        string? node = null;
        EndpointHints? hints = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "addresses"u8)) addresses = List(ref reader, Unique);
            else if (Enter(ref reader, "conditions"u8)) conditions = ReadConditions(ref reader);
            else if (Enter(ref reader, "nodeName"u8)) node = Text(ref reader);
            else if (Enter(ref reader, "hints"u8)) hints = ReadHints(ref reader);
            else reader.Skip();
        }

        return new Endpoint { Addresses = addresses, Conditions = conditions, NodeName = node, Hints = hints };
    }

    private static EndpointConditions ReadConditions(ref Utf8JsonReader reader)
    {
        bool? ready = null, serving = null, terminating = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "ready"u8)) ready = reader.GetBoolean();
            else if (Enter(ref reader, "serving"u8)) serving = reader.GetBoolean();
            else if (Enter(ref reader, "terminating"u8)) terminating = reader.GetBoolean();
            else reader.Skip();
        }

        return EndpointConditions.Of(ready, serving, terminating);
    }

    private EndpointHints ReadHints(ref Utf8JsonReader reader)
    {
        IReadOnlyList<TopologyHint> zones = [], nodes = [];
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "forZones"u8)) zones = List(ref reader, ReadHint);
            else if (Enter(ref reader, "forNodes"u8)) nodes = List(ref reader, ReadHint);
            else reader.Skip();
        }

        return new EndpointHints { ForZones = zones, ForNodes = nodes };
    }

    private TopologyHint ReadHint(ref Utf8JsonReader reader)
    {
        string? name = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "name"u8)) name = Text(ref reader);
            else reader.Skip();
        }

        return new TopologyHint { Name = name };
    }

    private EndpointPort ReadPort(ref Utf8JsonReader reader)
    {
        string? name = null, protocol = null;
        int? port = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader, JsonTokenType.EndObject))
        {
            if (Enter(ref reader, "name"u8)) name = Text(ref reader);
            else if (Enter(ref reader, "protocol"u8)) protocol = Text(ref reader);
            else if (Enter(ref reader, "port"u8)) port = reader.GetInt32();
            else reader.Skip();
        }

        return new EndpointPort { Name = name, Protocol = protocol, Port = port };
    }

    private delegate T ItemReader<T>(ref Utf8JsonReader reader);

    private static T[] List<T>(ref Utf8JsonReader reader, ItemReader<T> read)
    {
        Expect(ref reader, JsonTokenType.StartArray);
        if (!Next(ref reader, JsonTokenType.EndArray)) return [];
        var first = read(ref reader);
        if (!Next(ref reader, JsonTokenType.EndArray)) return [first]; // An endpoint has one address.
        List<T> items = new(16) { first };
        do items.Add(read(ref reader));
        while (Next(ref reader, JsonTokenType.EndArray));
        return [.. items];
    }

    private Dictionary<string, string?>? Entries(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.StartObject ? entries.Read(ref reader, typeof(Dictionary<string, string?>), NoOptions)
            : throw Unusual();

    /// <summary>A text that comes many times.</summary>
    private string Text(ref Utf8JsonReader reader) => strings.Read(ref reader, typeof(string), NoOptions)!;

    /// <summary>A text that comes once; it would only push others out of the cache.</summary>
    private static string Unique(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.String);
        return reader.GetString()!;
    }

    /// <summary>Goes to the next member or item; false at the end.</summary>
    private static bool Next(ref Utf8JsonReader reader, JsonTokenType end) => reader.Read() && reader.TokenType != end;

    /// <summary>Goes to the value of a member if it has the name.</summary>
    private static bool Enter(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
        reader.ValueTextEquals(name) && reader.Read();

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (reader.TokenType != type) throw Unusual();
    }

    private static JsonException Unusual() => new("unusual");
}
