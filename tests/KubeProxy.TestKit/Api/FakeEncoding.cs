using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;

namespace KubeProxy.TestKit.Api;

/// <summary>What the server's responses look like on the wire.</summary>
internal abstract class FakeEncoding
{
    public static FakeEncoding Json { get; } = new JsonEncoding();

    public static FakeEncoding Protobuf { get; } = new ProtobufEncoding();

    /// <summary>The first one that a client accepts; JSON if it accepts nothing that is known.</summary>
    public static FakeEncoding Negotiate(string accept, bool speaksProtobuf)
    {
        foreach (var clause in accept.Split(',', StringSplitOptions.TrimEntries))
        {
            var type = clause.Split(';')[0];
            if (type == Json.ContentType) return Json;
            if (type == Protobuf.ContentType && speaksProtobuf) return Protobuf;
        }

        return Json;
    }

    public abstract string ContentType { get; }

    public abstract string WatchContentType { get; }

    /// <summary>The body of a list, in pieces.</summary>
    public abstract IEnumerable<ReadOnlyMemory<byte>> List(FakeResource resource, JsonObject metadata, ImmutableArray<StoredObject> items);

    public abstract ReadOnlyMemory<byte> Event(string type, StoredObject value);

    public abstract ReadOnlyMemory<byte> Bookmark(FakeResource resource, JsonObject metadata);

    public abstract ReadOnlyMemory<byte> Error(JsonObject status);

    public abstract ReadOnlyMemory<byte> Alone(StoredObject value);

    public abstract ReadOnlyMemory<byte> Status(JsonObject status);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private sealed class JsonEncoding : FakeEncoding
    {
        public override string ContentType => "application/json";

        public override string WatchContentType => ContentType;

        public override IEnumerable<ReadOnlyMemory<byte>> List(FakeResource resource, JsonObject metadata, ImmutableArray<StoredObject> items)
        {
            yield return Utf8($$"""{"kind":"{{resource.Kind}}List","apiVersion":"{{resource.ApiVersion}}","metadata":{{metadata.ToJsonString()}},"items":[""");
            for (var i = 0; i < items.Length; i++)
            {
                if (i > 0) yield return ","u8.ToArray();
                yield return items[i].Item;
            }

            yield return "]}\n"u8.ToArray();
        }

        public override ReadOnlyMemory<byte> Event(string type, StoredObject value) => Event(type, value.Alone);

        public override ReadOnlyMemory<byte> Bookmark(FakeResource resource, JsonObject metadata) => Event("BOOKMARK", Status(
            new JsonObject { ["kind"] = resource.Kind, ["apiVersion"] = resource.ApiVersion, ["metadata"] = metadata }));

        public override ReadOnlyMemory<byte> Error(JsonObject status) => Event("ERROR", Status(status));

        public override ReadOnlyMemory<byte> Alone(StoredObject value) => value.Alone;

        public override ReadOnlyMemory<byte> Status(JsonObject status) => Utf8(status.ToJsonString());

        private static byte[] Event(string type, ReadOnlyMemory<byte> value) =>
            [.. Utf8($$"""{"type":"{{type}}","object":"""), .. value.Span, .. "}\n"u8];
    }

    private sealed class ProtobufEncoding : FakeEncoding
    {
        public override string ContentType => "application/vnd.kubernetes.protobuf";

        public override string WatchContentType => ContentType + ";stream=watch";

        public override IEnumerable<ReadOnlyMemory<byte>> List(FakeResource resource, JsonObject metadata, ImmutableArray<StoredObject> items)
        {
            var head = ProtobufWriter.Field(1, ProtobufWriter.Encode(ProtobufSchema.ListMeta, metadata));
            var length = head.Length + items.Sum(item => ProtobufWriter.Head(2, item.Protobuf.Length).Length + (long)item.Protobuf.Length);
            yield return (byte[])[.. ProtobufWriter.BeginEnvelope(resource.ApiVersion, resource.Kind + "List", length), .. head];
            foreach (var item in items)
            {
                yield return ProtobufWriter.Head(2, item.Protobuf.Length);
                yield return item.Protobuf;
            }

            yield return ProtobufWriter.EndEnvelope();
        }

        public override ReadOnlyMemory<byte> Event(string type, StoredObject value) => ProtobufWriter.Frame(type, Alone(value).Span);

        public override ReadOnlyMemory<byte> Bookmark(FakeResource resource, JsonObject metadata) => ProtobufWriter.Frame("BOOKMARK", ProtobufWriter.Wrap(
            resource.ApiVersion, resource.Kind, ProtobufWriter.Encode(resource.Kind, new JsonObject { ["metadata"] = metadata })));

        public override ReadOnlyMemory<byte> Error(JsonObject status) => ProtobufWriter.Frame("ERROR", Status(status).Span);

        public override ReadOnlyMemory<byte> Alone(StoredObject value) => ProtobufWriter.Wrap(value.ApiVersion, value.Kind, value.Protobuf);

        public override ReadOnlyMemory<byte> Status(JsonObject status) => ProtobufWriter.Wrap("v1", "Status", ProtobufWriter.EncodeStatus(status));
    }
}
