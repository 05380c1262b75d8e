using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes;

namespace KubeProxy.Host.Http;

/// <summary>Writes <c>apiServer</c> of <c>/status</c>: whether the server answers, and how it goes with each kind.</summary>
internal static class ApiServerSection
{
    /// <summary>The section; not there when objects come from elsewhere.</summary>
    public static void Write(Utf8JsonWriter writer, ConnectionStatus connection, IReadOnlyList<ReflectorStatus> kinds)
    {
        writer.WriteStartObject("apiServer");
        writer.WriteBoolean("connected", connection.IsConnected);
        if (connection.AwaySince is { } since) writer.WriteString("awaySince", Rfc3339.Format(since));
        if (connection.Attempts > 0) writer.WriteNumber("failedAttempts", connection.Attempts);
        if (connection.Error is { } error) writer.WriteString("lastError", error);
        writer.WriteStartArray("kinds");
        foreach (var kind in kinds) WriteKind(writer, kind);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteKind(Utf8JsonWriter writer, ReflectorStatus status)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", status.Kind.ToName());
        writer.WriteString("phase", status.Phase.ToString());
        writer.WriteBoolean("synced", status.Synced);
        writer.WriteNumber("objects", status.Objects);
        if (status.ResourceVersion is { } version) writer.WriteString("resourceVersion", version);
        if (status.LastContact is { } contact) writer.WriteString("lastContact", Rfc3339.Format(contact));
        if (status.Error is { } error) writer.WriteString("lastError", error);
        writer.WriteEndObject();
    }
}
