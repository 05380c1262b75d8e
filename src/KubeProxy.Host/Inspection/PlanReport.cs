using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Host.Backends;

namespace KubeProxy.Host.Inspection;

/// <summary>What <c>kube-proxy plan</c> shows.</summary>
/// <param name="Mode">The mode.</param>
/// <param name="Node">The node.</param>
/// <param name="Families">What each family would write to an empty kernel.</param>
/// <param name="Problems">What is wrong with objects.</param>
internal sealed record PlanReport(string Mode, string Node, IReadOnlyList<DryRun> Families, IReadOnlyList<ObjectProblem> Problems)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>As text: what is not for a tool is a comment to all of them.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# mode {Mode}, node {SingleLine.Of(Node)}\n");
        foreach (var problem in Problems) text.Append(CultureInfo.InvariantCulture, $"# problem: {SingleLine.Of(problem.ToString())}\n");
        foreach (var run in Families)
        {
            foreach (var owner in run.Quarantined)
                text.Append(CultureInfo.InvariantCulture, $"# cannot be written: {SingleLine.Of($"{owner.Owner}: {owner.Reason}")}\n");
            foreach (var (tool, lines) in PlanText.Of(run)) text.Append(CultureInfo.InvariantCulture, $"\n# {run.Family}: {tool}\n").Append(string.Join('\n', lines.Split('\n').Select(SingleLine.Of)));
        }

        return text.ToString();
    }

    /// <summary>As JSON.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("mode", Mode);
            writer.WriteString("node", Node);
            writer.WriteStartArray("families");
            foreach (var run in Families) Write(writer, run);
            writer.WriteEndArray();
            writer.WriteStartArray("problems");
            foreach (var problem in Problems) writer.WriteStringValue(problem.ToString());
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Write(Utf8JsonWriter writer, DryRun run)
    {
        writer.WriteStartObject();
        writer.WriteString("family", run.Family.ToString());
        writer.WriteStartArray("sections");
        foreach (var (tool, text) in PlanText.Of(run))
        {
            writer.WriteStartObject();
            writer.WriteString("tool", tool);
            writer.WriteString("text", text);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("refused");
        foreach (var owner in run.Quarantined)
        {
            writer.WriteStartObject();
            writer.WriteString("servicePort", owner.Owner.ToString());
            writer.WriteString("reason", owner.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
