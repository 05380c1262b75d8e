using System.Text.Json.Serialization;

namespace KubeProxy.Host.Configuration;

/// <summary>The JSON contract of the configuration file, generated at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KubeProxyConfiguration))]
internal sealed partial class ConfigurationJsonContext : JsonSerializerContext;
