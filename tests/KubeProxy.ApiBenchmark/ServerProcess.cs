using System.Diagnostics;
using System.Globalization;

namespace KubeProxy.ApiBenchmark;

/// <summary>The server in a process of its own, which does what it is told.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    public static async Task<ServerProcess> StartAsync(string ns, int services, int endpoints, int port, string authority, bool affinity = false)
    {
        string[] numbers = [.. new[] { services, endpoints, port }.Select(number => number.ToString(CultureInfo.InvariantCulture))];
        var process = Namespaces.Start(ns, Environment.ProcessPath!, ["serve", .. numbers, authority, "obey", .. affinity ? ["affinity"] : Array.Empty<string>()], start =>
        {
            start.RedirectStandardOutput = true;
            start.RedirectStandardInput = true;
        });
        var server = new ServerProcess(process);
        await server.ReadAsync();
        return server;
    }

    /// <summary>Nobody listens any more, and all connections are cut.</summary>
    public Task StopAsync() => TellAsync("stop");

    public Task StartAsync() => TellAsync("start");

    /// <summary>Makes a service with one endpoint; see <see cref="Serving.Change"/>.</summary>
    public Task ChangeAsync(int number) => TellAsync(string.Create(CultureInfo.InvariantCulture, $"change {number}"));

    /// <summary>Changes endpoints for a while; returns when it is over.</summary>
    public Task ChurnAsync(int rate, TimeSpan duration) => TellAsync(string.Create(CultureInfo.InvariantCulture, $"churn {rate} {duration.TotalSeconds}"));

    public Task CompactAsync() => TellAsync("compact");

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task TellAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        await ReadAsync();
    }

    private async Task ReadAsync()
    {
        if (await _process.StandardOutput.ReadLineAsync() is null) throw new InvalidOperationException("the server ended");
    }
}
