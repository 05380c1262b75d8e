using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>
/// A node whose pods are behind a bridge, as most network plugins have it, a pod of another node, and a client outside; both families. Pods
/// answer each message on port 8080, over TCP and UDP, with their name and the source that they see.
/// </summary>
public sealed class BridgeCluster : IDisposable
{
    public const string Bridge = "cbr0";
    public const string NodeIPv4 = "203.0.113.11";
    public const string NodeIPv6 = "2001:db8:7::11";

    /// <summary>The bridge's own addresses.</summary>
    public static readonly string[] Gateways = ["10.244.0.1", "fd00:10:244::1"];

    private readonly List<Socket> _sockets = [];

    private BridgeCluster()
    {
        (Node, Client, Remote) = (NetworkNamespace.Create(), NetworkNamespace.Create(), NetworkNamespace.Create());
        Pods = [NetworkNamespace.Create(), NetworkNamespace.Create()];
        Node.Exec("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
        Node.Exec("ip", "link", "add", Bridge, "type", "bridge");
        Node.Exec("ip", "link", "set", Bridge, "up");
        foreach (var gateway in Gateways) AddAddress(Node, gateway, gateway.Contains(':') ? 64 : 24, Bridge);
        for (var i = 0; i < Pods.Count; i++)
        {
            Node.ConnectTo(Pods[i], $"veth{i}", "eth0");
            Node.Exec("ip", "link", "set", $"veth{i}", "master", Bridge);
            Configure(Pods[i], $"10.244.0.{11 + i}/24", $"fd00:10:244::{11 + i}/64", Gateways);
        }

        // What is not local leaves by another interface, as on a real node; without a route there is no forwarding to reject.
        Node.Exec("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink-peer");
        foreach (var device in (string[])["uplink", "uplink-peer"]) Node.Exec("ip", "link", "set", device, "up");
        Node.Exec("ip", "route", "add", "default", "dev", "uplink");
        Node.Exec("ip", "-6", "route", "add", "default", "dev", "uplink");
        Connect(Remote, "remote", "10.244.1.1/24", "fd00:10:244:1::1/64", "10.244.1.11/24", "fd00:10:244:1::11/64");
        Connect(Client, "eth0", $"{NodeIPv4}/24", $"{NodeIPv6}/64", "203.0.113.50/24", "2001:db8:7::50/64");
        Serve(Pods[0], "pod1");
        Serve(Pods[1], "pod2");
        Serve(Remote, "remote");
    }

    public NetworkNamespace Node { get; }

    /// <summary>Behind the bridge: pod1 (10.244.0.11, fd00:10:244::11) and pod2.</summary>
    public IReadOnlyList<NetworkNamespace> Pods { get; }

    /// <summary>A pod of node2 (10.244.1.11, fd00:10:244:1::11).</summary>
    public NetworkNamespace Remote { get; }

    public NetworkNamespace Client { get; }

    public static BridgeCluster Create() => new();

    /// <summary>Has packets on bridges pass the rules of iptables, or not.</summary>
    public void FilterBridges(bool on) => Node.Exec(
        "sysctl", "-qw", $"net.bridge.bridge-nf-call-iptables={(on ? 1 : 0)}", $"net.bridge.bridge-nf-call-ip6tables={(on ? 1 : 0)}");

    /// <summary>A socket that asks a service, for as many questions as wanted.</summary>
    public static async Task<Socket> ConnectAsync(NetworkNamespace from, ProtocolType protocol, string address, int port, int sourcePort = 0)
    {
        var to = IPAddress.Parse(address);
        var socket = from.Run(() => new Socket(to.AddressFamily, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol));
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            if (sourcePort != 0) socket.Bind(new IPEndPoint(to.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, sourcePort));
            using var timeout = new CancellationTokenSource(1500);
            await socket.ConnectAsync(to, port, timeout.Token);
            return socket;
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Asks once; the name of the pod that answers.</summary>
    /// <exception cref="SocketException">There is no answer.</exception>
    public static async Task<string> AskAsync(Socket socket, int timeoutMilliseconds = 1500)
    {
        try
        {
            using var timeout = new CancellationTokenSource(timeoutMilliseconds);
            await socket.SendAsync("who?"u8.ToArray(), timeout.Token);
            var buffer = new byte[256];
            var length = await socket.ReceiveAsync(buffer, timeout.Token);
            return length == 0 ? throw new SocketException((int)SocketError.ConnectionReset) : Encoding.ASCII.GetString(buffer, 0, length).Split(' ')[0];
        }
        catch (OperationCanceledException)
        {
            throw new SocketException((int)SocketError.TimedOut);
        }
    }

    /// <summary>Asks with a new socket each time; the names of those who answer.</summary>
    public static async Task<string> AskAsync(NetworkNamespace from, ProtocolType protocol, string address, int port, int times = 4)
    {
        var answers = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < times; i++)
        {
            try
            {
                using var socket = await ConnectAsync(from, protocol, address, port);
                answers.Add(await AskAsync(socket));
            }
            catch (SocketException e)
            {
                answers.Add(e.SocketErrorCode.ToString());
            }
        }

        return string.Join(' ', answers);
    }

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
        foreach (var ns in (NetworkNamespace[])[.. Pods, Remote, Client, Node]) ns.Dispose();
    }

    private void Connect(NetworkNamespace other, string device, string v4, string v6, string otherV4, string otherV6)
    {
        Node.ConnectTo(other, device, "eth0");
        foreach (var address in (string[])[v4, v6]) AddAddress(Node, address.Split('/')[0], int.Parse(address.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture), device);
        Configure(other, otherV4, otherV6, v4.Split('/')[0], v6.Split('/')[0]);
    }

    private static void Configure(NetworkNamespace ns, string v4, string v6, params string[] gateways)
    {
        ns.Exec("ip", "address", "add", v4, "dev", "eth0");
        ns.Exec("ip", "address", "add", v6, "dev", "eth0", "nodad");
        foreach (var gateway in gateways) ns.Exec("ip", "route", "add", "default", "via", gateway);
    }

    private static void AddAddress(NetworkNamespace ns, string address, int length, string device)
    {
        string[] extra = address.Contains(':') ? ["nodad"] : [];
        ns.Exec("ip", ["address", "add", $"{address}/{length}", "dev", device, .. extra]);
    }

    private void Serve(NetworkNamespace pod, string name)
    {
        var datagrams = Bind(ProtocolType.Udp, SocketType.Dgram);
        var listener = Bind(ProtocolType.Tcp, SocketType.Stream);
        listener.Listen(64);
        _ = Task.Run(() => AnswerDatagramsAsync(datagrams, name));
        _ = Task.Run(async () =>
        {
            while (true) _ = AnswerAsync(await listener.AcceptAsync(), name);
        });

        Socket Bind(ProtocolType protocol, SocketType type)
        {
            var socket = pod.Run(() => new Socket(AddressFamily.InterNetworkV6, type, protocol) { DualMode = true });
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 8080));
            _sockets.Add(socket);
            return socket;
        }
    }

    private static async Task AnswerDatagramsAsync(Socket socket, string name)
    {
        var buffer = new byte[256];
        while (true)
        {
            var asked = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.IPv6Any, 0));
            await socket.SendToAsync(Encoding.ASCII.GetBytes($"{name} {asked.RemoteEndPoint}"), asked.RemoteEndPoint);
        }
    }

    private static async Task AnswerAsync(Socket socket, string name)
    {
        using (socket)
        {
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer) > 0) await socket.SendAsync(Encoding.ASCII.GetBytes($"{name} {socket.RemoteEndPoint}"));
        }
    }
}
