using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.ApiBenchmark;

/// <summary>The program in a network namespace, from its start to its end.</summary>
internal sealed class RunningProxy : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _path;
    private readonly Socket _notify = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Process _process;
    private readonly long _start;

    public RunningProxy(string ns, string binary, string directory, string configuration)
    {
        _path = Path.Combine(directory, "notify");
        _notify.Bind(new UnixDomainSocketEndPoint(_path));
        _start = Stopwatch.GetTimestamp();
        _process = Namespaces.Start(ns, binary, ["--config", configuration], start =>
        {
            start.Environment["NOTIFY_SOCKET"] = _path;
            start.RedirectStandardError = true;
        });
        _ = DrainAsync(_process.StandardError);
    }

    /// <summary>The CPU time that it has used.</summary>
    public TimeSpan Cpu => ProcessNumbers.Cpu(_process.Id);

    /// <summary>Resident memory.</summary>
    public double RssMiB => ProcessNumbers.MiB(_process.Id.ToString(CultureInfo.InvariantCulture), "VmRSS");

    /// <summary>Resident memory at its peak.</summary>
    public double PeakMiB => ProcessNumbers.MiB(_process.Id.ToString(CultureInfo.InvariantCulture), "VmHWM");

    /// <summary>Waits until the rules are in force; returns how long that took from the start.</summary>
    public async Task<TimeSpan> ReadyAsync()
    {
        var buffer = new byte[4096];
        using var limit = new CancellationTokenSource(Patience);
        while (!Encoding.UTF8.GetString(buffer, 0, await _notify.ReceiveAsync(buffer, limit.Token)).Contains("READY=1", StringComparison.Ordinal))
        {
        }

        return Stopwatch.GetElapsedTime(_start);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _notify.Dispose();
        File.Delete(_path);
    }

    private static async Task DrainAsync(StreamReader log)
    {
        while (await log.ReadLineAsync() is not null)
        {
        }
    }
}
