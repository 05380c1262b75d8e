using System.Runtime.InteropServices;
using Tmds.Linux;

namespace KubeProxy.Netlink.Interop;

/// <summary>The calls for several datagrams, which Tmds.LibC 0.5.0 has not. Both return -1 with errno set on failure.</summary>
internal static unsafe partial class ManyMessages
{
    // The names are libc's, like those of Tmds.LibC.
    [LibraryImport("libc", SetLastError = true)]
    public static partial int recvmmsg(int socket, mmsghdr* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sendmmsg(int socket, mmsghdr* messages, uint count, int flags);
}
