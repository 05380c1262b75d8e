using System.Globalization;
using System.Text;
using KubeProxy.Core.Model;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Logging;

/// <summary>
/// Lines as Kubernetes' own programs write them: severity and date, time, process, source, message. Times are UTC. A line break in
/// a message is written as <c>\n</c>, so that one message is one line; an exception's trace follows indented.
/// </summary>
internal sealed class KlogFormat(int processId) : ILogLineFormat
{
    public ReadOnlyMemory<byte> Format(LogLine line)
    {
        var text = new StringBuilder(160);
        text.Append(Severity(line.Level));
        text.Append(CultureInfo.InvariantCulture, $"{line.Time.UtcDateTime:MMdd HH:mm:ss.ffffff} {processId,7} {line.Source}] ");
        text.Append(SingleLine.Of(line.Message));
        if (line.Error is { } error) AppendError(text, error);
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    private static void AppendError(StringBuilder text, Exception error)
    {
        text.Append(" err=\"");
        text.Append(SingleLine.Of(error.Message.Replace("\"", "\\\"", StringComparison.Ordinal)));
        text.Append('"');
        if (error.StackTrace is not { } trace) return;
        foreach (var frame in trace.Split('\n')) text.Append("\n\t").Append(error.GetType().Name).Append(' ').Append(frame.Trim());
    }

    private static char Severity(LogLevel level) => level switch
    {
        LogLevel.Warning => 'W',
        LogLevel.Error => 'E',
        LogLevel.Critical => 'F',
        _ => 'I',
    };
}
