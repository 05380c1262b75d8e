using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads <c>ObjectMeta</c> (k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto).</summary>
internal static class MetadataDecoder
{
    private const long FirstSecond = -62135596800; // 0001-01-01
    private const long LastSecond = 253402300799; // 9999-12-31

    /// <summary>Where every kind of object has its metadata.</summary>
    private const int MetadataField = 1;

    public static ObjectMeta Read(ref ProtobufReader reader)
    {
        string? name = null, space = null, uid = null, version = null;
        DateTimeOffset? created = null, deleted = null;
        Dictionary<string, string?>? labels = null, annotations = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: name = reader.UniqueText("name"); break;
                case 3: space = reader.Text("namespace"); break;
                case 5: uid = reader.UniqueText("uid"); break;
                case 6: version = reader.UniqueText("resourceVersion"); break;
                case 8: created = reader.Message("creationTimestamp", ReadTime); break;
                case 9: deleted = reader.Message("deletionTimestamp", ReadTime); break;
                case 11: Add(ref labels, reader.Message("labels", ReadEntry)); break;
                case 12: Add(ref annotations, reader.Message("annotations", ReadEntry)); break;
                default: reader.Skip(); break;
            }
        }

        return new ObjectMeta
        {
            Name = name.NullIfEmpty(),
            Namespace = space.NullIfEmpty(),
            Uid = uid.NullIfEmpty(),
            ResourceVersion = version.NullIfEmpty(),
            CreationTimestamp = created,
            DeletionTimestamp = deleted,
            Labels = labels,
            Annotations = annotations,
        };
    }

    /// <summary>Reads the identity of an object as far as it goes.</summary>
    public static ObjectHead ReadHead(ref ProtobufReader reader)
    {
        var head = new ObjectHead("", "", null, false);
        try
        {
            while (reader.Next())
            {
                if (reader.Field == MetadataField) head = reader.Message("metadata", ReadHeadOfMetadata);
                else reader.Skip();
            }
        }
        catch (ProtobufException)
        {
            // What came before counts.
        }

        return head;
    }

    private static ObjectHead ReadHeadOfMetadata(ref ProtobufReader reader)
    {
        var head = new ObjectHead("", "", null, false);
        try
        {
            while (reader.Next())
            {
                switch (reader.Field)
                {
                    case 1: head = head with { Name = reader.UniqueText("name") }; break;
                    case 3: head = head with { Namespace = reader.Text("namespace") }; break;
                    case 6: head = head with { ResourceVersion = reader.UniqueText("resourceVersion").NullIfEmpty() }; break;
                    case 12: head = head with { InitialEventsEnd = head.InitialEventsEnd | reader.Message("annotations", IsInitialEventsEnd) }; break;
                    default: reader.Skip(); break;
                }
            }
        }
        catch (ProtobufException)
        {
            // What came before counts.
        }

        return head;
    }

    private static bool IsInitialEventsEnd(ref ProtobufReader reader)
    {
        var (isEnd, isTrue) = (false, false);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: isEnd = reader.Text("key") == ObjectHead.InitialEventsEndAnnotation; break;
                case 2: isTrue = reader.Bytes("value").SequenceEqual("true"u8); break;
                default: reader.Skip(); break;
            }
        }

        return isEnd && isTrue;
    }

    /// <summary>An entry of a map, if its name has a meaning to a proxy.</summary>
    private static (string Name, string Value)? ReadEntry(ref ProtobufReader reader)
    {
        string? name = null;
        var value = "";
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: name = WellKnownEntries.NameOf(reader.Bytes("key")); break;
                case 2 when name is not null: value = reader.Text("value"); break;
                default: reader.Skip(); break;
            }
        }

        return name is null ? null : (name, value);
    }

    private static void Add(ref Dictionary<string, string?>? entries, (string Name, string Value)? entry)
    {
        if (entry is var (name, value)) (entries ??= new(1, StringComparer.Ordinal))[name] = value;
    }

    /// <summary><c>Time</c>: an empty message is no time.</summary>
    private static DateTimeOffset? ReadTime(ref ProtobufReader reader)
    {
        long? seconds = null;
        while (reader.Next())
        {
            if (reader.Field == 1) seconds = reader.Int64("seconds");
            else reader.Skip(); // Nanoseconds are never set.
        }

        return seconds switch
        {
            null => null,
            >= FirstSecond and <= LastSecond => DateTimeOffset.FromUnixTimeSeconds(seconds.Value),
            _ => throw new ProtobufException("seconds", $"{seconds} is out of range"),
        };
    }
}

/// <summary>
/// What is a plain string or number in the API's own code is always on the wire, empty or 0 where it is missing in JSON.
/// </summary>
internal static class PlainFields
{
    public static string? NullIfEmpty(this string? text) => string.IsNullOrEmpty(text) ? null : text;

    public static int? NullIfZero(this int number) => number == 0 ? null : number;
}
