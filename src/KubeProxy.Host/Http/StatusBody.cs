using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Sync;

namespace KubeProxy.Host.Http;

/// <summary>Writes the body of <c>/status</c>: what the proxy holds and does, for people and scripts.</summary>
internal static class StatusBody
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>The body.</summary>
    public static ReadOnlyMemory<byte> Write(string mode, ProxyStatus status, ProxyHealthReport health)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        writer.WriteString("mode", mode);
        writer.WriteString("node", status.NodeName);
        writer.WriteString("zone", status.Zone);
        writer.WriteBoolean("healthy", health.Healthy);
        writer.WriteBoolean("nodeEligible", health.NodeEligible);
        writer.WriteBoolean("ready", Doubts(status).Count == 0);
        WriteCounts(writer, status.Counts);
        writer.WriteStartArray("families");
        foreach (var family in status.Families) WriteFamily(writer, family);
        writer.WriteEndArray();
        writer.WriteStartArray("problems");
        foreach (var problem in status.Problems) writer.WriteStringValue(problem.ToString());
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>Why the kernel may not hold what was last asked for; empty when it does.</summary>
    public static IReadOnlyList<string> Doubts(ProxyStatus status) =>
        [.. status.Families.Select(family => Doubt(family) is { } doubt ? $"{family.Family}: {doubt}" : null).OfType<string>()];

    private static string? Doubt(FamilyStatus family)
    {
        if (family.Syncs == 0) return "the first sync is not done yet" + (family.LastError is { } first ? $": {first}" : "");
        if (family.LastError is { } error) return $"the last sync failed: {error}";
        if (!family.IsCurrent) return "the rules were changed by others and are being repaired";
        return family.Quarantined.Count > 0 ? $"the kernel refuses {string.Join(", ", family.Quarantined.Select(owner => owner.Owner))}" : null;
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
        writer.WriteNumber("repaired", family.Repaired);
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
