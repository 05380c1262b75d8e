using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary>The JSON contracts of the objects, generated at build time: no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(EndpointSlice))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(ServiceCIDR))]
internal sealed partial class KubernetesJsonContext : JsonSerializerContext;
