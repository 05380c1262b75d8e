using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Protobuf;

/// <summary>
/// What the API puts around an object that stands alone: four bytes by which it is recognised, then the message
/// <c>Unknown</c> (k8s.io/apimachinery/pkg/runtime/generated.proto), which has the object's kind and its bytes.
/// </summary>
internal static class ProtobufEnvelope
{
    /// <summary>The field of <c>Unknown</c> that the object is in.</summary>
    public const int RawField = 2;

    /// <summary>The first bytes.</summary>
    public static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <summary>The object in an envelope; empty when there is none in it.</summary>
    /// <exception cref="ProtobufException">There is no envelope, or it is damaged.</exception>
    public static ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> bytes, StringCache strings)
    {
        if (!bytes.StartsWith(Magic)) throw new ProtobufException("", "it does not begin as an object does");
        var reader = new ProtobufReader(bytes[Magic.Length..], strings);
        ReadOnlySpan<byte> raw = default;
        while (reader.Next())
        {
            if (reader.Field == RawField) raw = reader.Bytes("raw");
            else reader.Skip();
        }

        return raw;
    }
}
