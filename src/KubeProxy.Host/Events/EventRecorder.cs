using System.Globalization;
using System.Text;
using System.Text.Json;
using KubeProxy.Core.Model;
using KubeProxy.Kubernetes;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Events;

/// <summary>
/// Records Events (<c>events.k8s.io/v1</c>) about this node and its Services with the API server, where <c>kubectl describe</c> shows
/// them. Best effort: without a server, or when it refuses, the log has it all the same.
/// </summary>
/// <param name="client">The server; null for none.</param>
/// <param name="nodeName">The name of the Node object.</param>
/// <param name="hostName">The name of the host, which tells reporters apart.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to say that it did not work.</param>
internal sealed partial class EventRecorder(ApiClient? client, string nodeName, string hostName, TimeProvider time, ILogger<EventRecorder> logger)
{
    private const string Component = "kube-proxy";

    /// <summary>Records an event about the node.</summary>
    public Task AboutNodeAsync(string type, string reason, string note, CancellationToken cancellationToken) =>
        RecordAsync(type, reason, "StartKubeProxy", note, new Regarding("Node", "", nodeName), cancellationToken);

    /// <summary>Records an event about a Service.</summary>
    public Task AboutServiceAsync(NamespacedName service, string type, string reason, string action, string note, CancellationToken cancellationToken) =>
        RecordAsync(type, reason, action, note, new Regarding("Service", service.Namespace, service.Name), cancellationToken);

    private async Task RecordAsync(string type, string reason, string action, string note, Regarding regarding, CancellationToken cancellationToken)
    {
        if (client is null) return;
        var space = regarding.Namespace.Length > 0 ? regarding.Namespace : "default";
        try
        {
            await client.CreateAsync($"/apis/events.k8s.io/v1/namespaces/{space}/events", Body(space, type, reason, action, note, regarding), cancellationToken);
        }
        catch (ApiRequestException problem)
        {
            LogNotRecorded(reason, problem.Message);
        }
        catch (OperationCanceledException)
        {
            // The process ends, or it took too long.
        }
    }

    private byte[] Body(string space, string type, string reason, string action, string note, Regarding regarding)
    {
        var now = time.GetUtcNow();
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", "Event");
            writer.WriteString("apiVersion", "events.k8s.io/v1");
            writer.WriteStartObject("metadata");
            writer.WriteString("name", string.Create(CultureInfo.InvariantCulture, $"{regarding.Name}.{now.UtcTicks:x}"));
            writer.WriteString("namespace", space);
            writer.WriteEndObject();
            writer.WriteString("eventTime", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            writer.WriteString("reportingController", Component);
            writer.WriteString("reportingInstance", $"{Component}-{hostName}");
            writer.WriteString("action", action);
            writer.WriteString("reason", reason);
            writer.WriteStartObject("regarding");
            writer.WriteString("kind", regarding.Kind);
            writer.WriteString("apiVersion", "v1");
            if (regarding.Namespace.Length > 0) writer.WriteString("namespace", regarding.Namespace);
            writer.WriteString("name", regarding.Name);
            writer.WriteEndObject();
            writer.WriteString("note", Shorten(note));
            writer.WriteString("type", type);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    // The server refuses notes of 1024 bytes and more.
    private static string Shorten(string note)
    {
        const int Longest = 1000;
        while (Encoding.UTF8.GetByteCount(note) > Longest) note = note[..(note.Length - Math.Max(1, note.Length / 10))];
        return note;
    }

    private readonly record struct Regarding(string Kind, string Namespace, string Name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Event {Reason} could not be recorded: {Problem}")]
    private partial void LogNotRecorded(string reason, string problem);
}
