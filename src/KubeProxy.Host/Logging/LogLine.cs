using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Logging;

/// <summary>One message to be formatted.</summary>
/// <param name="Time">When.</param>
/// <param name="Level">How severe.</param>
/// <param name="Source">The last part of the category.</param>
/// <param name="Message">The text.</param>
/// <param name="Error">The exception; null for none.</param>
/// <param name="Values">The message's named values, without its template.</param>
internal readonly record struct LogLine(
    DateTimeOffset Time, LogLevel Level, string Source, string Message, Exception? Error, IReadOnlyList<KeyValuePair<string, object?>> Values);

/// <summary>Makes a line of text, newline included, of a message.</summary>
internal interface ILogLineFormat
{
    /// <summary>The line, or lines, in UTF-8.</summary>
    ReadOnlyMemory<byte> Format(LogLine line);
}
