using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Host.Http;

/// <summary>Where to listen.</summary>
/// <param name="Address">The address.</param>
/// <param name="Port">The port, 1 to 65535; 0 lets the kernel choose.</param>
/// <param name="IsDual">Whether <c>::</c> also takes IPv4.</param>
internal readonly record struct ListenAddress(IPAddress Address, int Port, bool IsDual = false)
{
    /// <summary>An unspecified address stands for both families, as in Go.</summary>
    public static ListenAddress From(Configuration.HostPort hostPort)
    {
        var address = hostPort.Address.ToIPAddress();
        var isAny = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        return isAny && Socket.OSSupportsIPv6
            ? new ListenAddress(IPAddress.IPv6Any, hostPort.Port, IsDual: true)
            : new ListenAddress(isAny ? IPAddress.Any : address, hostPort.Port);
    }

    /// <summary>Opens the socket.</summary>
    /// <exception cref="SocketException">The address is in use, not this node's, or not permitted.</exception>
    public Socket Bind()
    {
        var socket = new Socket(Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (Address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = IsDual;
            socket.Bind(new IPEndPoint(Address, Port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary><c>address:port</c>.</summary>
    public override string ToString() => new IPEndPoint(Address, Port).ToString();
}
