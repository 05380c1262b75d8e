using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Sync;
using KubeProxy.Kubernetes;

namespace KubeProxy.Host.Http;

/// <summary>Writes the body of <c>/status</c>: what the proxy holds and does, for people and scripts.</summary>
internal static class StatusBody
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>The body.</summary>
    public static ReadOnlyMemory<byte> Write(
        string mode, ProxyStatus status, ProxyHealthReport health, IReadOnlyList<Rival> rivals, ApiServerSource? source = null)
    {
        var doubts = Doubts.Of(status, health, rivals);
        var buffer = new ArrayBufferWriter<byte>(2048);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        writer.WriteString("mode", mode);
        writer.WriteString("node", status.NodeName);
        writer.WriteString("zone", status.Zone);
        writer.WriteBoolean("healthy", health.Healthy);
        writer.WriteBoolean("nodeEligible", health.NodeEligible);
        writer.WriteBoolean("ready", doubts.Count == 0);
        WriteTexts(writer, "doubts", doubts.Select(doubt => doubt.Text));
        WriteTexts(writer, "rivals", rivals.Select(rival => rival.ToString()));
        if (source is not null) ApiServerSection.Write(writer, source.GetConnection(), source.GetStatus());
        WriteCounts(writer, status.Counts);
        writer.WriteStartArray("families");
        foreach (var family in status.Families) WriteFamily(writer, family);
        writer.WriteEndArray();
        WriteTexts(writer, "problems", status.Problems.Select(problem => problem.ToString()));
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    private static void WriteCounts(Utf8JsonWriter writer, ProxyCounts counts)
    {
        writer.WriteNumber("services", counts.Services);
        writer.WriteNumber("endpointSlices", counts.EndpointSlices);
        writer.WriteNumber("endpoints", counts.Endpoints);
        writer.WriteNumber("pendingServices", counts.PendingServices);
        writer.WriteNumber("pendingEndpoints", counts.PendingEndpoints);
    }

    private static void WriteFamily(Utf8JsonWriter writer, FamilyStatus family)
    {
        writer.WriteStartObject();
        writer.WriteString("family", family.Family.ToString());
        writer.WriteNumber("servicePorts", family.ServicePorts);
        writer.WriteBoolean("current", family.IsCurrent);
        writer.WriteNumber("syncs", family.Syncs);
        writer.WriteNumber("failedSyncs", family.FailedSyncs);
        writer.WriteNumber("pending", family.Pending);
        writer.WriteNumber("repaired", family.Repaired);
        writer.WriteNumber("recentRepairs", family.RecentRepairs);
        if (family.LastSync is { } time) writer.WriteString("lastSync", Rfc3339.Format(time));
        if (family.LastResult is { } result)
        {
            writer.WriteNumber("lastOperations", result.Operations);
            writer.WriteNumber("lastCompileMilliseconds", Math.Round(result.CompileTime.TotalMilliseconds, 3));
            writer.WriteNumber("lastCommitMilliseconds", Math.Round(result.CommitTime.TotalMilliseconds, 3));
        }

        if (family.LastError is { } error) writer.WriteString("lastError", error);
        writer.WriteStartArray("quarantined");
        foreach (var owner in family.Quarantined)
        {
            writer.WriteStartObject();
            writer.WriteString("servicePort", owner.Owner.ToString());
            writer.WriteString("reason", owner.Reason);
            writer.WriteString("since", Rfc3339.Format(owner.Since));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
