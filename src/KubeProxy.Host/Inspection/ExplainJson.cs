using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Inspection;

/// <summary>What <c>kube-proxy explain</c> shows to programs.</summary>
internal static class ExplainJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>The document.</summary>
    /// <param name="explanation">What Core has to say.</param>
    /// <param name="kernel">In what the kernel differs from that; null when it was not compared.</param>
    public static byte[] Write(Explanation explanation, IReadOnlyList<Difference>? kernel = null)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("target", explanation.Target.ToString());
            writer.WriteNumber("exitCode", new ExplainReport(explanation, kernel).ExitCode);
            WriteCauses(writer, explanation.Causes);
            writer.WriteStartArray("servicePorts");
            foreach (var port in explanation.Ports) Write(writer, port);
            writer.WriteEndArray();
            if (explanation.MorePorts > 0) writer.WriteNumber("moreServicePorts", explanation.MorePorts);
            if (kernel is not null) WriteKernel(writer, kernel);
            writer.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void Write(Utf8JsonWriter writer, ServicePortExplanation port)
    {
        writer.WriteStartObject();
        writer.WriteString("service", port.Name.Service.ToString());
        writer.WriteString("portName", port.Name.PortName);
        writer.WriteNumber("port", port.Port);
        writer.WriteString("protocol", Core.Model.ProtocolNames.ToLowerName(port.Name.Protocol));
        writer.WriteString("family", port.Family.ToString());
        writer.WriteString("internalTrafficPolicy", port.InternalLocal ? "Local" : "Cluster");
        writer.WriteString("externalTrafficPolicy", port.ExternalLocal ? "Local" : "Cluster");
        if (port.AffinityTimeout is { } timeout) writer.WriteNumber("sessionAffinitySeconds", (int)timeout.TotalSeconds);
        if (port.CreatedAt is { } created) writer.WriteString("createdAt", created);
        writer.WriteString("hints", Name(port.Hints.ToString()));
        WriteCauses(writer, port.Causes);
        if (port.LastChange is { } change) writer.WriteString("lastChange", ChangeText.Of(change, port.Name.Service));
        writer.WriteStartArray("frontends");
        foreach (var frontend in port.Frontends) Write(writer, frontend);
        writer.WriteEndArray();
        writer.WriteNumber("endpointCount", port.EndpointCount);
        writer.WriteStartArray("endpoints");
        foreach (var endpoint in port.Endpoints) Write(writer, endpoint);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, FrontendExplanation frontend)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", Name(frontend.Frontend.Kind.ToString()));
        if (frontend.Frontend.Key.Address is { } address) writer.WriteString("address", address.ToString());
        writer.WriteNumber("port", frontend.Frontend.Key.Port);
        writer.WriteString("protocol", Core.Model.ProtocolNames.ToLowerName(frontend.Frontend.Key.Protocol));
        writer.WriteBoolean("inForce", frontend.IsInForce);
        if (frontend.IsClosed) writer.WriteBoolean("closed", true);
        if (frontend.Reason is { } reason) writer.WriteString("reason", reason);
        writer.WriteStartArray("allowedSources");
        foreach (var range in frontend.Frontend.AllowedSources) writer.WriteStringValue(range.ToString());
        writer.WriteEndArray();
        writer.WriteStartObject("outcomes");
        foreach (var outcome in frontend.Outcomes)
        {
            writer.WriteStartObject(Name(outcome.Client.ToString()));
            writer.WriteString("destination", Name(outcome.Destination.ToString()));
            writer.WriteBoolean("masquerade", outcome.Masquerade);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, EndpointExplanation endpoint)
    {
        writer.WriteStartObject();
        writer.WriteString("address", endpoint.Target.Address.ToString());
        writer.WriteNumber("port", endpoint.Target.Port);
        writer.WriteString("endpointSlice", endpoint.Slice.ToString());
        writer.WriteBoolean("onThisNode", endpoint.IsLocal);
        WriteVerdict(writer, "cluster", endpoint.ForCluster);
        WriteVerdict(writer, "local", endpoint.ForLocal);
        if (endpoint.Zones is { } zones)
        {
            writer.WriteStartArray("zones");
            foreach (var zone in zones) writer.WriteStringValue(zone);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteVerdict(Utf8JsonWriter writer, string name, EndpointVerdict verdict)
    {
        writer.WriteStartObject(name);
        writer.WriteBoolean("in", verdict.IsIn());
        writer.WriteString("reason", Name(verdict.ToString()));
        writer.WriteEndObject();
    }

    private static void WriteKernel(Utf8JsonWriter writer, IReadOnlyList<Difference> kernel)
    {
        writer.WriteStartArray("kernelDifferences");
        foreach (var (_, kind, what) in kernel)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", Name(kind.ToString()));
            writer.WriteString("what", what);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteCauses(Utf8JsonWriter writer, IReadOnlyList<Cause> causes)
    {
        writer.WriteStartArray("causes");
        foreach (var cause in causes)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", Name(cause.Kind.ToString()));
            writer.WriteString("text", cause.Text);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string Name(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}
