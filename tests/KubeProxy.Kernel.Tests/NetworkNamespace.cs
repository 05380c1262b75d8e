using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KubeProxy.Kernel.Tests;

/// <summary>
/// A fresh network namespace, deleted with the object. Code runs in it on a thread of its own, so that the sockets it opens
/// belong to the namespace (a socket stays where it was opened: use it from any thread afterwards). Needs root.
/// <code>
/// using var ns = NetworkNamespace.Create();              // skips the test without root
/// using var channel = ns.Run(() => NetlinkChannel.Open(NetlinkProtocol.Netfilter));
/// ns.Exec("nft", "list", "ruleset");                      // a witness
/// </code>
/// </summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private const int CLONE_NEWNET = 0x40000000;
    private static int _created;

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    private NetworkNamespace(string name)
    {
        Name = name;
        Run("ip", ["netns", "add", name]);
        var entered = new TaskCompletionSource();
        _thread = new Thread(() => Serve(entered)) { IsBackground = true, Name = name };
        _thread.Start();
        entered.Task.GetAwaiter().GetResult();
    }

    /// <summary>The name, as <c>ip netns</c> knows it.</summary>
    public string Name { get; }

    /// <summary>Makes a namespace with loopback up; skips the calling test where that is impossible.</summary>
    public static NetworkNamespace Create()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "needs root to make network namespaces");
        Assert.SkipUnless(File.Exists("/sbin/ip") || File.Exists("/usr/sbin/ip") || File.Exists("/bin/ip"), "needs ip (iproute2)");
        var ns = new NetworkNamespace($"kpt-{Environment.ProcessId}-{Interlocked.Increment(ref _created)}");
        try
        {
            ns.Exec("ip", "link", "set", "lo", "up");
            return ns;
        }
        catch
        {
            ns.Dispose();
            throw;
        }
    }

    /// <summary>Runs code on the thread inside the namespace, and waits for it.</summary>
    public T Run<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                result.SetResult(function());
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        });
        return result.Task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Run{T}"/>
    public void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>Runs a program inside the namespace and returns its standard output.</summary>
    /// <exception cref="InvalidOperationException">It exited with another code than 0.</exception>
    public string Exec(string program, params IReadOnlyList<string> arguments) =>
        Run("ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>Runs a program inside the namespace with that standard input.</summary>
    /// <exception cref="InvalidOperationException">It exited with another code than 0.</exception>
    public string ExecWithInput(string input, string program, params IReadOnlyList<string> arguments) =>
        Run("ip", ["netns", "exec", Name, program, .. arguments], input);

    /// <summary>Starts a program inside the namespace, with redirected output; the caller ends it.</summary>
    public Process Start(string program, params IReadOnlyList<string> arguments) =>
        Launch("ip", ["netns", "exec", Name, program, .. arguments], redirectInput: false);

    /// <summary>Connects this namespace with another one by a pair of veth devices, which are up.</summary>
    public void ConnectTo(NetworkNamespace other, string device, string otherDevice)
    {
        Exec("ip", "link", "add", device, "type", "veth", "peer", "name", otherDevice, "netns", other.Name);
        Exec("ip", "link", "set", device, "up");
        other.Exec("ip", "link", "set", otherDevice, "up");
    }

    /// <summary>Deletes the namespace.</summary>
    public void Dispose()
    {
        if (_work.IsAddingCompleted) return;
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
        Run("ip", ["netns", "delete", Name]);
    }

    private void Serve(TaskCompletionSource entered)
    {
        try
        {
            using var file = File.OpenHandle($"/run/netns/{Name}");
            if (SetNs(file.DangerousGetHandle().ToInt32(), CLONE_NEWNET) < 0)
                throw new InvalidOperationException($"setns: errno {Marshal.GetLastPInvokeError()}");
            entered.SetResult();
        }
        catch (Exception error)
        {
            entered.SetException(error);
            return;
        }

        foreach (var work in _work.GetConsumingEnumerable()) work();
    }

    private static string Run(string program, IReadOnlyList<string> arguments, string? input = null)
    {
        using var process = Launch(program, arguments, redirectInput: input is not null);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}: {error.Result}{output.Result}");
        }

        return output.Result;
    }

    private static Process Launch(string program, IReadOnlyList<string> arguments, bool redirectInput) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = redirectInput,
        })!;

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(int descriptor, int type);
}
