using System.Net.Sockets;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Lets the kernel find out within a quarter of a minute that a connection leads nowhere any more, be it silent or not: after 5 s of
/// silence it asks every 3 s, and what is not acknowledged for 9 s ends the connection. A ping of HTTP/2 needs 45 s for that, and wakes
/// the process up; these do not. While a dead link comes back sooner, the connection goes on.
/// </summary>
internal static class SocketLiveness
{
    private const int SilenceSeconds = 5;
    private const int IntervalSeconds = 3;
    private const int Probes = 3;
    private const int UnacknowledgedMilliseconds = 9000;

    /// <summary><c>TCP_USER_TIMEOUT</c> of tcp(7), in milliseconds (linux/tcp.h).</summary>
    private const int TcpUserTimeout = 18;

    public static void Apply(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, SilenceSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, IntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes(UnacknowledgedMilliseconds));
    }
}
