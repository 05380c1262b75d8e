using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>Reads <c>Status</c> and <c>ListMeta</c> (k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto).</summary>
internal static class StatusDecoder
{
    public static ApiStatus Read(ref ProtobufReader reader)
    {
        int? code = null;
        string? reason = null, message = null;
        ApiStatusDetails? details = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3: message = reader.UniqueText("message"); break;
                case 4: reason = reader.Text("reason"); break;
                case 5: details = reader.Message("details", ReadDetails); break;
                case 6: code = reader.Int32("code").NullIfZero(); break;
                default: reader.Skip(); break;
            }
        }

        return new ApiStatus { Code = code, Reason = reason.NullIfEmpty(), Message = message.NullIfEmpty(), Details = details };
    }

    public static ListMetadata ReadListMetadata(ref ProtobufReader reader)
    {
        string? version = null, page = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: version = reader.UniqueText("resourceVersion"); break;
                case 3: page = reader.UniqueText("continue"); break;
                default: reader.Skip(); break;
            }
        }

        return new ListMetadata { ResourceVersion = version, Continue = page };
    }

    private static ApiStatusDetails ReadDetails(ref ProtobufReader reader)
    {
        var causes = new Repeated<ApiStatusCause>();
        var retry = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 4: causes.Add(ref reader, "causes", ReadCause); break;
                case 5: retry = reader.Int32("retryAfterSeconds"); break;
                default: reader.Skip(); break;
            }
        }

        return new ApiStatusDetails { RetryAfterSeconds = retry.NullIfZero(), Causes = causes.Items };
    }

    private static ApiStatusCause ReadCause(ref ProtobufReader reader)
    {
        string? reason = null;
        while (reader.Next())
        {
            if (reader.Field == 1) reason = reader.Text("reason");
            else reader.Skip();
        }

        return new ApiStatusCause { Reason = reason };
    }
}
