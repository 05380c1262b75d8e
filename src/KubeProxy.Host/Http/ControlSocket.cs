using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Http;

/// <summary>
/// The Unix socket that subcommands ask the running proxy over: of root alone (mode 0600), and read-only, because no page of it changes anything.
/// A proxy that cannot have it does all else.
/// </summary>
internal sealed partial class ControlSocket : BackgroundService
{
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly HttpHandler _handler;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="path">Where it is.</param>
    /// <param name="handler">Answers requests.</param>
    /// <param name="loggers">For this and Kestrel.</param>
    /// <param name="time">The clock.</param>
    public ControlSocket(string path, HttpHandler handler, ILoggerFactory loggers, TimeProvider time)
    {
        (_path, _handler, _loggers, _time) = (path, handler, loggers, time);
        _logger = loggers.CreateLogger(typeof(ControlSocket).FullName!);
    }

    /// <summary>Binds a socket of this user alone. Nobody can connect before it listens, whatever the umask.</summary>
    /// <exception cref="IOException">Something else is there, or somebody listens.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    /// <exception cref="SocketException">It cannot be made.</exception>
    internal static Socket Bind(string path)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        // The directory too, but not what that would be in.
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory && Directory.Exists(Path.GetDirectoryName(directory)) && !Directory.Exists(directory))
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        RemoveStale(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // Listening must not hold up the rules.
        string? told = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var listener = await HttpListener.StartAsync([Bind(_path)], _handler, _loggers, stoppingToken);
                LogListening(_path);
                await Task.Delay(Timeout.Infinite, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is IOException or SocketException or UnauthorizedAccessException or ArgumentException)
            {
                if (told != problem.Message) LogFailed(_path, told = problem.Message);
                await Task.Delay(RetryPeriod, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // A process that was killed leaves its socket, on which nobody listens.
    private static void RemoveStale(string path)
    {
        if (!File.Exists(path)) return;
        if (new FileInfo(path).LinkTarget is not null || !IsSocket(path)) throw new IOException("there is a file of this name that is no socket");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }

        throw new IOException("another process listens there");
    }

    // Opening one fails with ENXIO.
    private static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Answering subcommands on {Path}")]
    private partial void LogListening(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subcommands cannot be answered on {Path} (--socket): {Reason}")]
    private partial void LogFailed(string path, string reason);
}
