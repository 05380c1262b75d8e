using KubeProxy.Core.Model;
using Tmds.Linux;
using static KubeProxy.Netlink.CallResult;
using static Tmds.Linux.LibC;

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
    /// <param name="translated">See <see cref="RelayInlet"/>.</param>
    public int ListenTcp(ushort port, bool translated)
    {
        var socket = OpenAtStart(SOCK_STREAM, translated);
        SetAtStart(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
        SetAtStart(socket, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
        // Accepted sockets inherit these.
        SetConnectionOptions(socket);
        BindAtStart(socket, new IpEndpoint(ListenAddress(translated), port));
        var error = Listen(socket);
        return error == 0 ? socket : throw FailAtStart(socket, error, "listen for TCP connections");
    }

    /// <summary>A listening TCP socket of an address of this node that shares its port with nobody.</summary>
    public int ListenTcpAlone(IpEndpoint endpoint)
    {
        var socket = Open(SOCK_STREAM, options.Transparent);
        if (socket < 0) return socket;
        // Connections of the past may still have the port; another listener may not.
        var error = Set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
        if (error != 0) return Fail(socket, error);
        SetConnectionOptions(socket);
        error = Bind(socket, endpoint);
        if (error == 0) error = Listen(socket);
        return error == 0 ? socket : Fail(socket, error);
    }

    /// <summary>A UDP socket that tells for each datagram where it was sent to.</summary>
    public int ListenUdp(bool translated)
    {
        var socket = OpenAtStart(SOCK_DGRAM, translated);
        SetAtStart(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
        var (level, option) = _isIPv4 ? (SOL_IP, IP_RECVORIGDSTADDR) : (SOL_IPV6, IPV6_RECVORIGDSTADDR);
        SetAtStart(socket, level, option, 1, "IP_RECVORIGDSTADDR");
        RaiseReceiveBuffer(socket);
        BindAtStart(socket, new IpEndpoint(ListenAddress(translated), 0));
        return socket;
    }

    /// <summary>The port that the socket is bound to.</summary>
    public static ushort PortOf(int socket) => TryGetName(socket, out var name) ? name.Port : (ushort)0;

    /// <summary>The address and port that the socket is bound to: for an accepted one, what the client connected to.</summary>
    public static bool TryGetName(int socket, out IpEndpoint endpoint)
    {
        var name = default(SocketName);
        socklen_t length = SocketName.MaxLength;
        endpoint = default;
        return getsockname(socket, (sockaddr*)&name, &length) == 0 && name.TryRead(out endpoint);
    }

    /// <summary>What the client of an accepted socket connected to before the connection was translated, by conntrack.</summary>
    public bool TryGetOriginal(int socket, out IpEndpoint endpoint)
    {
        const int originalDestination = 80; // SO_ORIGINAL_DST (linux/netfilter_ipv4.h), IP6T_SO_ORIGINAL_DST
        var name = default(SocketName);
        socklen_t length = SocketName.LengthOf(options.Family);
        endpoint = default;
        return getsockopt(socket, _isIPv4 ? SOL_IP : SOL_IPV6, originalDestination, &name, &length) == 0 && name.TryRead(out endpoint);
    }

    /// <summary>Begins to connect over TCP.</summary>
    /// <param name="endpoint">To whom.</param>
    /// <param name="transparent">Whether rules are to know the connection's packets by their socket.</param>
    public int ConnectTcp(IpEndpoint endpoint, bool transparent)
    {
        var socket = Open(SOCK_STREAM, transparent);
        if (socket < 0) return socket;
        SetConnectionOptions(socket);
        return Connect(socket, endpoint);
    }

    /// <summary>A UDP socket that sends to and receives from one endpoint.</summary>
    public int ConnectUdp(IpEndpoint endpoint)
    {
        var socket = Open(SOCK_DGRAM, options.Transparent);
        return socket < 0 ? socket : Connect(socket, endpoint);
    }

    /// <summary>A UDP socket that sends from the address and port that a client knows, or that they were translated to.</summary>
    public int BindUdp(IpEndpoint address, bool translated)
    {
        var socket = Open(SOCK_DGRAM, IsTransparent(translated));
        if (socket < 0) return socket;
        Set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
        if (translated) RaiseReceiveBuffer(socket); // It gets what the listener would.
        var error = Bind(socket, address);
        return error == 0 ? socket : Fail(socket, error);
    }

    /// <summary>Takes the error that waits at the socket; 0 for none.</summary>
    public static int TakeError(int socket)
    {
        var waiting = 0;
        socklen_t length = sizeof(int);
        var error = ErrorOf(getsockopt(socket, SOL_SOCKET, SO_ERROR, &waiting, &length));
        return error == 0 ? waiting : error;
    }

    /// <summary>Closes the socket; the peer of a TCP connection gets a reset, and what was not yet sent is dropped.</summary>
    public static void Reset(int socket)
    {
        var atOnce = new linger { l_onoff = 1, l_linger = 0 };
        _ = setsockopt(socket, SOL_SOCKET, SO_LINGER, &atOnce, sizeof(linger));
        _ = close(socket);
    }

    private IpAddr ListenAddress(bool translated) => IsTransparent(translated)
        ? IpAddr.Parse(_isIPv4 ? "127.0.0.1" : "::1")
        : IpAddr.Parse(_isIPv4 ? "0.0.0.0" : "::");

    // What is translated comes to an address of this node.
    private bool IsTransparent(bool translated) => options.Transparent && !translated;

    private int Open(int type, bool transparent)
    {
        var opened = socket(_isIPv4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        var error = ErrorOf(opened);
        if (error != 0) return -error;
        if (transparent) error = SetTransparent(opened);
        return error == 0 ? opened : Fail(opened, error);
    }

    private int OpenAtStart(int type, bool translated)
    {
        var socket = Open(type, IsTransparent(translated));
        if (socket < 0) throw new RelayException(IsTransparent(translated) ? "open a transparent socket" : "open a socket", -socket);
        if (!_isIPv4) SetAtStart(socket, SOL_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
        return socket;
    }

    private int SetTransparent(int socket) => _isIPv4
        ? Set(socket, SOL_IP, IP_TRANSPARENT, 1)
        : Set(socket, SOL_IPV6, IPV6_TRANSPARENT, 1);

    private void SetConnectionOptions(int socket)
    {
        Set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
        Set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
        Set(socket, IPPROTO_TCP, TCP_KEEPIDLE, (int)options.KeepAliveIdle.TotalSeconds);
        Set(socket, IPPROTO_TCP, TCP_KEEPINTVL, (int)options.KeepAliveInterval.TotalSeconds);
        Set(socket, IPPROTO_TCP, TCP_KEEPCNT, options.KeepAliveProbes);
    }

    private static int Connect(int socket, IpEndpoint endpoint)
    {
        var name = new SocketName(endpoint);
        var error = ErrorOf(connect(socket, (sockaddr*)&name, name.Length));
        return error is 0 or SocketErrno.InProgress ? socket : Fail(socket, error);
    }

    private static void RaiseReceiveBuffer(int socket)
    {
        const int bytes = 4 << 20;
        if (Set(socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes) != 0) Set(socket, SOL_SOCKET, SO_RCVBUF, bytes);
    }

    private static void BindAtStart(int socket, IpEndpoint endpoint)
    {
        var error = Bind(socket, endpoint);
        if (error != 0) throw FailAtStart(socket, error, $"bind to {endpoint}");
    }

    private static void SetAtStart(int socket, int level, int name, int value, string text)
    {
        var error = Set(socket, level, name, value);
        if (error != 0) throw FailAtStart(socket, error, $"set {text}");
    }

    private static int Bind(int socket, IpEndpoint endpoint)
    {
        var name = new SocketName(endpoint);
        return ErrorOf(bind(socket, (sockaddr*)&name, name.Length));
    }

    private static int Listen(int socket) => ErrorOf(listen(socket, int.MaxValue)); // Cut to net.core.somaxconn.

    private static int Set(int socket, int level, int name, int value) =>
        ErrorOf(setsockopt(socket, level, name, &value, sizeof(int)));

    private static int Fail(int socket, int error)
    {
        _ = close(socket);
        return -error;
    }

    private static RelayException FailAtStart(int socket, int error, string operation) => new(operation, -Fail(socket, error));
}
