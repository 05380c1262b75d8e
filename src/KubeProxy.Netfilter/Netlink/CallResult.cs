using static Tmds.Linux.LibC;

namespace KubeProxy.Netlink;

/// <summary>What a call of libc gave.</summary>
internal static class CallResult
{
    /// <summary>
    /// 0, or the errno of a call that gave a negative result. To be asked before anything else is done: Tmds.LibC's errno is that of this
    /// thread's last call into native code, the runtime's own included.
    /// </summary>
    public static int ErrorOf(long result) => result < 0 ? errno : 0;
}
