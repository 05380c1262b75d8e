using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.History;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Host.Http;

namespace KubeProxy.Host.Inspection;

/// <summary>Changes as text for people and as JSON for programs.</summary>
internal static class ChangeText
{
    private const int Shown = 2;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>One line.</summary>
    /// <param name="change">The change.</param>
    /// <param name="about">Whose objects are named first; null for the order of their changes.</param>
    public static string Of(ChangeRecord change, NamespacedName? about = null)
    {
        var more = change.CauseCount > Shown ? $" and {(change.CauseCount - Shown).ToString(CultureInfo.InvariantCulture)} more" : "";
        var causes = change.CauseCount == 0 ? change.Repaired > 0 ? "changed by others" : "tried again, or checked" : string.Join(", ", change.Causes.OrderByDescending(cause => about is not null && cause.Service == about).Take(Shown)) + more;
        var result = change.Error is { } error ? $"failed: {error}"
            : string.Create(CultureInfo.InvariantCulture, $"{change.Operations} kernel objects in {change.Duration.TotalMilliseconds:0.0} ms");
        return $"{Rfc3339.Format(change.Time)} {causes}: {result}";
    }

    /// <summary>The body of <c>/changes</c>.</summary>
    public static ReadOnlyMemory<byte> ToJson(IReadOnlyList<ChangeRecord> changes)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        writer.WriteStartArray("changes");
        foreach (var change in changes) Write(writer, change);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer, ChangeRecord change)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number", change.Number);
        writer.WriteString("family", change.Family.ToString());
        if (change.Queued is { } queued) writer.WriteString("queued", Rfc3339.Format(queued));
        writer.WriteString("time", Rfc3339.Format(change.Time));
        writer.WriteNumber("milliseconds", Math.Round(change.Duration.TotalMilliseconds, 3));
        writer.WriteNumber("changedObjects", change.CauseCount);
        writer.WriteStartArray("causes");
        foreach (var cause in change.Causes) Write(writer, cause);
        writer.WriteEndArray();
        writer.WriteNumber("updatedServicePorts", change.Updated);
        writer.WriteNumber("removedServicePorts", change.Removed);
        writer.WriteNumber("kernelObjects", change.Operations);
        writer.WriteNumber("repaired", change.Repaired);
        writer.WriteNumber("deletedFlows", change.DeletedFlows);
        if (change.Error is { } error) writer.WriteString("error", error);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ChangeCause cause)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", cause.Kind.ToName());
        writer.WriteString("name", cause.Name.ToString());
        if (cause.ResourceVersion is { } version) writer.WriteString("resourceVersion", version);
        writer.WriteBoolean("gone", cause.IsGone);
        writer.WriteEndObject();
    }
}
