using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Logging;

/// <summary>One JSON object a line with the keys of Kubernetes' JSON logs: ts (milliseconds), caller, level or v, msg, values, err.</summary>
internal sealed class JsonLogFormat : ILogLineFormat
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public ReadOnlyMemory<byte> Format(LogLine line)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteNumber("ts", (line.Time - DateTimeOffset.UnixEpoch).Ticks / 10_000m);
            writer.WriteString("caller", line.Source);
            writer.WriteString("msg", line.Message);
            WriteSeverity(writer, line.Level);
            foreach (var (name, value) in line.Values)
                writer.WriteString(JsonNamingPolicy.CamelCase.ConvertName(name), Convert.ToString(value, CultureInfo.InvariantCulture));
            if (line.Error is { } error) writer.WriteString("err", error.ToString());
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    private static void WriteSeverity(Utf8JsonWriter writer, LogLevel level)
    {
        if (level >= LogLevel.Warning) writer.WriteString("level", level switch
        {
            LogLevel.Warning => "warning",
            LogLevel.Error => "error",
            _ => "fatal",
        });
        else writer.WriteNumber("v", level switch
        {
            LogLevel.Trace => 6,
            LogLevel.Debug => 4,
            _ => 0,
        });
    }
}
