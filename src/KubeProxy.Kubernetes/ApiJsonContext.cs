using System.Text.Json.Serialization;
using KubeProxy.Kubernetes.Access;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes;

/// <summary>The JSON contracts of the protocol, generated at build time: no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ApiStatus))]
[JsonSerializable(typeof(ListMetadata))]
[JsonSerializable(typeof(ExecCredential))]
internal sealed partial class ApiJsonContext : JsonSerializerContext;
