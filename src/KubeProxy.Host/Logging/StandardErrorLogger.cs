using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Logging;

/// <summary>
/// Writes each message at once and in one write to standard error: nothing is lost when the process is killed, and journald and
/// container runtimes take it from there.
/// </summary>
internal sealed class StandardErrorLoggerProvider(Stream output, ILogLineFormat format, VerbositySwitch verbosity, TimeProvider time) : ILoggerProvider
{
    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => new StandardErrorLogger(this, categoryName);

    public void Dispose() { }

    private void Write(LogLine line)
    {
        var bytes = format.Format(line);
        lock (_lock)
        {
            try
            {
                output.Write(bytes.Span);
            }
            catch (IOException)
            {
                // Whoever read standard error is gone; the proxy goes on without.
            }
        }
    }

    private sealed class StandardErrorLogger(StandardErrorLoggerProvider provider, string category) : ILogger
    {
        private volatile Threshold _threshold = new(null, LogLevel.None);
        private readonly string _source = category[(category.LastIndexOf('.') + 1)..];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= Least() && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var values = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            provider.Write(new LogLine(
                provider.Time.GetUtcNow(), logLevel, _source, formatter(state, exception), exception,
                [.. values.Where(value => value.Key != "{OriginalFormat}")]));
        }

        /// <summary>The patterns of a verbosity are matched once, until there is another.</summary>
        private LogLevel Least()
        {
            var (threshold, current) = (_threshold, provider.Verbosity.Current);
            if (!ReferenceEquals(threshold.Of, current)) _threshold = threshold = new Threshold(current, current.LevelOf(category));
            return threshold.Least;
        }

        private sealed record Threshold(Verbosity? Of, LogLevel Least);
    }

    private VerbositySwitch Verbosity { get; } = verbosity;

    private TimeProvider Time { get; } = time;
}
