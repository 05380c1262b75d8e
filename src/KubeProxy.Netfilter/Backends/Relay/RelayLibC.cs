using System.Runtime.InteropServices;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>What Tmds.LibC 0.5.0 has not of the calls that a relay needs. All return -1 with errno set on failure.</summary>
internal static unsafe partial class RelayLibC
{
    public const int RLIMIT_NOFILE = 7; // asm-generic/resource.h

    /// <summary><c>struct rlimit</c> on 64-bit machines.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ResourceLimit
    {
        public ulong Current;
        public ulong Maximum;
    }

    // The names are libc's, like those of Tmds.LibC.
    [LibraryImport("libc", SetLastError = true)]
    public static partial int getrlimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setrlimit(int resource, ResourceLimit* limit);
}
