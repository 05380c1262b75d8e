using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KubeProxy.ApiBenchmark;

/// <summary>
/// Finds out when a service is in force by connecting to it, over and over. In a process of its own, because it has to be in the proxy's
/// network namespace; asking <c>nft</c> would not do, which reads all elements of all sets to look at one (1.0.6).
/// </summary>
internal sealed class Probing : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly Process _process;

    public Probing(string ns) => _process = Namespaces.Start(ns, Environment.ProcessPath!, ["probe"], start =>
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = true;
    });

    /// <summary>Waits until somebody answers.</summary>
    /// <exception cref="TimeoutException">Nobody did.</exception>
    public async Task WaitAsync(string address, TimeSpan patience)
    {
        await _process.StandardInput.WriteLineAsync(address);
        await _process.StandardInput.FlushAsync();
        _ = await _process.StandardOutput.ReadLineAsync().WaitAsync(patience) ?? throw new InvalidOperationException("the prober ended");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>What the process does: an address a line on the standard input, and a line in return when it answers.</summary>
    public static async Task<int> RunAsync()
    {
        while (await Console.In.ReadLineAsync() is { } address)
        {
            while (!await AnswersAsync(new IPEndPoint(IPAddress.Parse(address), Serving.ServicePort))) await Task.Delay(Pause);
            Console.WriteLine(address);
        }

        return 0;
    }

    private static async Task<bool> AnswersAsync(IPEndPoint address)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, limit.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return false;
        }
    }
}
