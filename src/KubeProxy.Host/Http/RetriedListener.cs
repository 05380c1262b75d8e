using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Http;

/// <summary>
/// Keeps a server listening from start to end of the process: tries again every 5 s when it cannot listen, or with
/// <c>bindAddressHardFail</c> ends the process.
/// </summary>
internal sealed partial class RetriedListener : BackgroundService
{
    /// <summary>How long after a failure it tries again.</summary>
    public static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(5);

    private readonly string _name;
    private readonly ListenAddress _address;
    private readonly HttpHandler _handler;
    private readonly Func<Exception, Task>? _hardFail;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="name">What is served, for logs.</param>
    /// <param name="address">Where.</param>
    /// <param name="handler">Answers requests; must be quick and thread-safe.</param>
    /// <param name="hardFail">Ends the process; null to try again instead.</param>
    /// <param name="loggers">For this and Kestrel.</param>
    /// <param name="time">The clock.</param>
    public RetriedListener(
        string name, ListenAddress address, HttpHandler handler, Func<Exception, Task>? hardFail, ILoggerFactory loggers, TimeProvider time)
    {
        (_name, _address, _handler, _hardFail, _loggers, _time) = (name, address, handler, hardFail, loggers, time);
        _logger = loggers.CreateLogger(typeof(RetriedListener).FullName!);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // Listening must not hold up the rules.
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var listener = await HttpListener.StartAsync([_address], _handler, _loggers, stoppingToken);
                LogListening(_name, _address);
                await Task.Delay(Timeout.Infinite, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is IOException or System.Net.Sockets.SocketException)
            {
                LogFailed(_name, _address, problem.Message);
                if (_hardFail is not null)
                {
                    await _hardFail(problem);
                    return;
                }

                await Task.Delay(RetryPeriod, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving {Name} on {Address}")]
    private partial void LogListening(string name, ListenAddress address);

    [LoggerMessage(Level = LogLevel.Error, Message = "Cannot serve {Name} on {Address}: {Reason}")]
    private partial void LogFailed(string name, ListenAddress address, string reason);
}
