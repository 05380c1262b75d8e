using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// The errno values of sockets that a relay tells apart (asm-generic/errno.h), as positive numbers. Constants, for patterns: those of
/// Tmds.LibC are properties.
/// </summary>
internal static class SocketErrno
{
    public const int Interrupted = Errno.Interrupted;
    public const int TryAgain = Errno.TryAgain;
    public const int OutOfMemory = Errno.OutOfMemory;
    public const int TooManyFilesInSystem = 23; // ENFILE
    public const int TooManyFiles = 24; // EMFILE
    public const int NoBufferSpace = Errno.NoBufferSpace;
    public const int TimedOut = 110; // ETIMEDOUT
    public const int ConnectionRefused = 111; // ECONNREFUSED
    public const int InProgress = 115; // EINPROGRESS

    /// <summary>Whether it says that this host is short of something, rather than something about the peer.</summary>
    public static bool IsExhaustion(int errno) =>
        errno is TooManyFiles or TooManyFilesInSystem or OutOfMemory or NoBufferSpace;
}
