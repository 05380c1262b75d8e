using System.Buffers;
using System.Text;
using System.Text.Json;
using KubeProxy.Core.Explaining;

namespace KubeProxy.Host.Inspection;

/// <summary>The answer of <c>/explain</c>: both forms, so that whoever asks shows them as they are.</summary>
internal static class ExplainAnswer
{
    /// <summary>The body.</summary>
    public static ReadOnlyMemory<byte> Write(Explanation explanation, IReadOnlyList<Difference>? kernel)
    {
        var report = new ExplainReport(explanation, kernel);
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteNumber("exitCode", report.ExitCode);
        writer.WriteString("text", report.ToText());
        writer.WriteString("explanation", Encoding.UTF8.GetString(ExplainJson.Write(explanation, kernel)));
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
