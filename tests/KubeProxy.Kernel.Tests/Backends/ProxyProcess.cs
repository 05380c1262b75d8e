using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The host binary, running in the namespace of a node.</summary>
public sealed partial class ProxyProcess : IDisposable
{
    private const int SIGTERM = 15;
    private readonly NetworkNamespace _node;
    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly HttpClient _http;

    private ProxyProcess(NetworkNamespace node, Process process)
    {
        (_node, _process) = (node, process);
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = _node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
    }

    public string Log
    {
        get { lock (_log) return _log.ToString(); }
    }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>The published program if KUBE_PROXY names it, which starts in a fraction of the time; else the one beside the tests.</summary>
    public static string Executable => Environment.GetEnvironmentVariable("KUBE_PROXY") ?? Path.Combine(AppContext.BaseDirectory, "kube-proxy");

    public static ProxyProcess Start(NetworkNamespace node, Manifests manifests, params string[] wrapper) =>
        Start(node, ["--config", manifests.Configuration(), "--manifests", manifests.Objects], wrapper);

    /// <summary>Starts it with these arguments, by way of a program such as strace if there is one.</summary>
    public static ProxyProcess Start(NetworkNamespace node, string[] arguments, params string[] wrapper)
    {
        string[] command = [.. wrapper, Executable, "--socket=", .. arguments, "--v", "4"];
        return new ProxyProcess(node, node.Start(command[0], command[1..]));
    }

    /// <summary>Waits until the kernel holds what the manifests say.</summary>
    public async Task WaitReadyAsync(int timeoutMilliseconds = 30_000)
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < timeoutMilliseconds)
        {
            if (HasExited) throw new InvalidOperationException($"kube-proxy exited with {ExitCode}:\n{Log}");
            if (await TryGetAsync(10249, "/readyz") is { IsSuccessStatusCode: true }) return;
            await Task.Delay(10);
        }

        throw new TimeoutException($"kube-proxy is not ready:\n{Log}");
    }

    /// <summary>An answer of one of its HTTP servers; null when it does not listen.</summary>
    public async Task<HttpResponseMessage?> TryGetAsync(int port, string path)
    {
        try
        {
            return await _http.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"));
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>The value of a metric, summed over its series; 0 when it has none yet.</summary>
    public async Task<double> MetricAsync(string name)
    {
        using var response = await TryGetAsync(10249, "/metrics");
        var text = response is null ? "" : await response.Content.ReadAsStringAsync();
        return text.Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Where a path of its mount namespace is found here.</summary>
    public string PathOf(string path) => $"/proc/{_process.Id}/root{path}";

    /// <summary>How many file descriptors it has open.</summary>
    public int CountDescriptors() => Directory.GetFiles($"/proc/{_process.Id}/fd").Length;

    /// <summary>Changes how many it may have.</summary>
    public void LimitDescriptors(int count) => _node.Exec(
        "prlimit", "--pid", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), $"--nofile={count}:");

    /// <summary>Ends it as systemd would, and returns its exit code.</summary>
    public int Terminate()
    {
        Kill(_process.Id, SIGTERM);
        if (!_process.WaitForExit(10_000)) throw new TimeoutException($"kube-proxy does not end on SIGTERM:\n{Log}");
        return _process.ExitCode;
    }

    /// <summary>Ends it without giving it a chance.</summary>
    public void Kill()
    {
        if (_process.HasExited) return;
        // With everything below it: a wrapper such as strace would leave the program behind.
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _http.Dispose();
        _process.Dispose();
    }

    private void Append(object sender, DataReceivedEventArgs line)
    {
        lock (_log) _log.AppendLine(line.Data);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
