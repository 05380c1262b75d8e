using System.Net.Http.Headers;
using KubeProxy.Kubernetes.Json;
using KubeProxy.Kubernetes.Protobuf;
using KubeProxy.Kubernetes.Wire;

namespace KubeProxy.Kubernetes;

/// <summary>The encodings that a client understands, and which of them it asks for.</summary>
internal sealed class WireFormats
{
    public const string Json = "application/json";
    public const string Protobuf = "application/vnd.kubernetes.protobuf";

    private readonly IWireFormat _json = new JsonFormat();
    private readonly IWireFormat _protobuf = new ProtobufFormat();

    /// <summary>Asks the server (1.38, gate ManagedFieldsOptOut) to leave out what nobody here reads.</summary>
    private const string WithoutManagedFields = ";drop=metadata.managedFields";

    /// <param name="wanted">Media types in order of preference, separated by commas.</param>
    /// <param name="omitManagedFields">Whether to ask for each of them without <c>metadata.managedFields</c> first.</param>
    public WireFormats(string wanted, bool omitManagedFields = false)
    {
        var types = wanted.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToLookup(IsKnown);
        Unknown = [.. types[false]];
        var known = types[true].Append(Json).Distinct(StringComparer.OrdinalIgnoreCase);
        // Twice: a server may ignore a parameter that it does not know, or take it for another type.
        Accept = string.Join(", ", omitManagedFields ? known.SelectMany(type => new[] { type + WithoutManagedFields, type }) : known);
    }

    /// <summary>The <c>Accept</c> header. JSON is always in it: what is in no other encoding can be had in this one.</summary>
    public string Accept { get; }

    /// <summary>Media types that were wanted and are not understood.</summary>
    public IReadOnlyList<string> Unknown { get; }

    /// <summary>The encoding of a response; JSON where it does not say, which is then found to be none.</summary>
    public IWireFormat Of(MediaTypeHeaderValue? type) => IsProtobuf(type?.MediaType) ? _protobuf : _json;

    private static bool IsKnown(string type) => IsProtobuf(type) || Json.Equals(type, StringComparison.OrdinalIgnoreCase);

    private static bool IsProtobuf(string? type) => Protobuf.Equals(type, StringComparison.OrdinalIgnoreCase);
}
