using System.Runtime.InteropServices;

namespace KubeProxy.Netfilter.Harness;

/// <summary>Runs code in a fresh network namespace: on a thread of its own that leaves the machine's first. Needs root.</summary>
public static partial class Isolated
{
    private const int CLONE_NEWNET = 0x40000000;

    /// <summary>Runs it and waits. Programs that it starts are in the namespace too.</summary>
    /// <exception cref="InvalidOperationException">The namespace could not be made.</exception>
    public static T Run<T>(Func<T> function)
    {
        T? result = default;
        Exception? error = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(CLONE_NEWNET) < 0) throw new InvalidOperationException($"unshare: errno {Marshal.GetLastPInvokeError()}");
                Tool.Run("ip", ["link", "set", "lo", "up"]);
                Tool.Run("ip", ["link", "add", "dummy0", "type", "veth", "peer", "name", "dummy1"]);
                result = function();
            }
            catch (Exception caught)
            {
                error = caught;
            }
        });
        thread.Start();
        thread.Join();
        return error is null ? result! : throw new InvalidOperationException(error.Message, error);
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
