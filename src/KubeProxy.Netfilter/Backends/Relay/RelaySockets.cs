using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink.Interop;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// Opens the sockets of a relay of one family, non-blocking. Where opening can fail in normal operation the result is a
/// descriptor, or a negative errno; what can only fail at the start throws <see cref="RelayException"/>.
/// </summary>
internal sealed unsafe class RelaySockets(RelayOptions options)
{
    private readonly bool _isIPv4 = options.Family == IpFamily.IPv4;

    /// <summary>A listening TCP socket that shares its port with others of this relay.</summary>
    /// <param name="port">The port; 0 for any.</param>
    public int ListenTcp(ushort port)
    {
        var socket = OpenAtStart(LibC.SOCK_STREAM);
        SetAtStart(socket, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1, "SO_REUSEADDR");
        SetAtStart(socket, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1, "SO_REUSEPORT");
        // Accepted sockets inherit these.
        SetConnectionOptions(socket);
        BindAtStart(socket, new IpEndpoint(ListenAddress, port));
        if (LibC.Listen(socket, int.MaxValue) < 0) throw FailAtStart(socket, "listen for TCP connections"); // Cut to net.core.somaxconn.
        return socket;
    }

    /// <summary>A listening TCP socket of an address of this node that shares its port with nobody.</summary>
    public int ListenTcpAlone(IpEndpoint endpoint)
    {
        var socket = Open(LibC.SOCK_STREAM);
        if (socket < 0) return socket;
        // Connections of the past may still have the port; another listener may not.
        if (!Set(socket, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1)) return Fail(socket);
        SetConnectionOptions(socket);
        var name = new SocketName(endpoint);
        return LibC.Bind(socket, &name, name.Length) == 0 && LibC.Listen(socket, int.MaxValue) == 0 ? socket : Fail(socket);
    }

    /// <summary>A UDP socket that tells for each datagram where it was sent to.</summary>
    public int ListenUdp(ushort port)
    {
        var socket = OpenAtStart(LibC.SOCK_DGRAM);
        SetAtStart(socket, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1, "SO_REUSEADDR");
        var (level, option) = _isIPv4 ? (LibC.SOL_IP, LibC.IP_RECVORIGDSTADDR) : (LibC.SOL_IPV6, LibC.IPV6_RECVORIGDSTADDR);
        SetAtStart(socket, level, option, 1, "IP_RECVORIGDSTADDR");
        RaiseReceiveBuffer(socket, 4 << 20);
        BindAtStart(socket, new IpEndpoint(ListenAddress, port));
        return socket;
    }

    /// <summary>The port that the socket is bound to.</summary>
    public static ushort PortOf(int socket) => TryGetName(socket, out var name) ? name.Port : (ushort)0;

    /// <summary>The address and port that the socket is bound to: for an accepted one, what the client connected to.</summary>
    public static bool TryGetName(int socket, out IpEndpoint endpoint)
    {
        var name = default(SocketName);
        var length = (uint)SocketName.MaxLength;
        endpoint = default;
        return LibC.GetSockName(socket, &name, &length) == 0 && name.TryRead(out endpoint);
    }

    /// <summary>Begins to connect over TCP.</summary>
    public int ConnectTcp(IpEndpoint endpoint)
    {
        var socket = Open(LibC.SOCK_STREAM);
        if (socket < 0) return socket;
        SetConnectionOptions(socket);
        return Connect(socket, endpoint);
    }

    /// <summary>A UDP socket that sends to and receives from one endpoint.</summary>
    public int ConnectUdp(IpEndpoint endpoint)
    {
        var socket = Open(LibC.SOCK_DGRAM);
        return socket < 0 ? socket : Connect(socket, endpoint);
    }

    /// <summary>A UDP socket that sends from the address and port of a frontend.</summary>
    public int BindUdp(IpEndpoint frontend)
    {
        var socket = Open(LibC.SOCK_DGRAM);
        if (socket < 0) return socket;
        Set(socket, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1);
        var name = new SocketName(frontend);
        return LibC.Bind(socket, &name, name.Length) == 0 ? socket : Fail(socket);
    }

    /// <summary>Takes the error that waits at the socket; 0 for none.</summary>
    public static int TakeError(int socket)
    {
        var error = 0;
        var length = (uint)sizeof(int);
        return LibC.GetSockOpt(socket, LibC.SOL_SOCKET, LibC.SO_ERROR, &error, &length) == 0 ? error : Marshal.GetLastPInvokeError();
    }

    /// <summary>Closes the socket; the peer of a TCP connection gets a reset, and what was not yet sent is dropped.</summary>
    public static void Reset(int socket)
    {
        var linger = new LibC.Linger { OnOff = 1, Seconds = 0 };
        _ = LibC.SetSockOpt(socket, LibC.SOL_SOCKET, LibC.SO_LINGER, &linger, (uint)sizeof(LibC.Linger));
        _ = LibC.Close(socket);
    }

    private IpAddr ListenAddress => options.Transparent
        ? IpAddr.Parse(_isIPv4 ? "127.0.0.1" : "::1")
        : IpAddr.Parse(_isIPv4 ? "0.0.0.0" : "::");

    private int Open(int type)
    {
        var socket = LibC.Socket(_isIPv4 ? LibC.AF_INET : LibC.AF_INET6, type | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0);
        if (socket < 0) return -Marshal.GetLastPInvokeError();
        return options.Transparent && !SetTransparent(socket) ? Fail(socket) : socket;
    }

    private int OpenAtStart(int type)
    {
        var socket = Open(type);
        if (socket < 0) throw new RelayException(options.Transparent ? "open a transparent socket" : "open a socket", -socket);
        if (!_isIPv4) SetAtStart(socket, LibC.SOL_IPV6, LibC.IPV6_V6ONLY, 1, "IPV6_V6ONLY");
        return socket;
    }

    private bool SetTransparent(int socket) => _isIPv4
        ? Set(socket, LibC.SOL_IP, LibC.IP_TRANSPARENT, 1)
        : Set(socket, LibC.SOL_IPV6, LibC.IPV6_TRANSPARENT, 1);

    private void SetConnectionOptions(int socket)
    {
        Set(socket, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, 1);
        Set(socket, LibC.SOL_SOCKET, LibC.SO_KEEPALIVE, 1);
        Set(socket, LibC.IPPROTO_TCP, LibC.TCP_KEEPIDLE, (int)options.KeepAliveIdle.TotalSeconds);
        Set(socket, LibC.IPPROTO_TCP, LibC.TCP_KEEPINTVL, (int)options.KeepAliveInterval.TotalSeconds);
        Set(socket, LibC.IPPROTO_TCP, LibC.TCP_KEEPCNT, options.KeepAliveProbes);
    }

    private static int Connect(int socket, IpEndpoint endpoint)
    {
        var name = new SocketName(endpoint);
        if (LibC.Connect(socket, &name, name.Length) == 0) return socket;
        return Marshal.GetLastPInvokeError() == SocketErrno.InProgress ? socket : Fail(socket);
    }

    private static void RaiseReceiveBuffer(int socket, int bytes)
    {
        if (!Set(socket, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, bytes)) Set(socket, LibC.SOL_SOCKET, LibC.SO_RCVBUF, bytes);
    }

    private static void BindAtStart(int socket, IpEndpoint endpoint)
    {
        var name = new SocketName(endpoint);
        if (LibC.Bind(socket, &name, name.Length) < 0) throw FailAtStart(socket, $"bind to {endpoint}");
    }

    private static void SetAtStart(int socket, int level, int name, int value, string text)
    {
        if (!Set(socket, level, name, value)) throw FailAtStart(socket, $"set {text}");
    }

    private static bool Set(int socket, int level, int name, int value) =>
        LibC.SetSockOpt(socket, level, name, &value, sizeof(int)) == 0;

    private static int Fail(int socket)
    {
        var errno = Marshal.GetLastPInvokeError();
        _ = LibC.Close(socket);
        return -errno;
    }

    private static RelayException FailAtStart(int socket, string operation) => new(operation, -Fail(socket));
}
