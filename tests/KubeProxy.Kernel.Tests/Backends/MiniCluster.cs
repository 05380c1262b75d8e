using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>
/// A node with some pods, and a client outside whose packets for services go through the node, each in a network namespace of its
/// own. Pods answer on TCP with their number, and then echo.
/// </summary>
public sealed class MiniCluster : IDisposable
{
    public const string NodeAddress = "203.0.113.11";
    public const string ClientAddress = "203.0.113.50";
    private readonly List<Socket> _listeners = [];

    private MiniCluster(NetworkNamespace node, NetworkNamespace client, IReadOnlyList<NetworkNamespace> pods) =>
        (Node, Client, Pods) = (node, client, pods);

    public NetworkNamespace Node { get; }

    public NetworkNamespace Client { get; }

    public IReadOnlyList<NetworkNamespace> Pods { get; }

    public static MiniCluster Create(int pods)
    {
        var node = NetworkNamespace.Create();
        var client = NetworkNamespace.Create();
        var cluster = new MiniCluster(node, client, [.. Enumerable.Range(0, pods).Select(_ => NetworkNamespace.Create())]);
        node.Exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
        // What is not local leaves by another interface than the client's, as on a real node; without a route there is no forwarding to reject.
        node.Exec("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink-peer");
        node.Exec("ip", "link", "set", "uplink", "up");
        node.Exec("ip", "link", "set", "uplink-peer", "up");
        node.Exec("ip", "route", "add", "default", "dev", "uplink");
        Connect(node, client, "eth0", $"{NodeAddress}/24", $"{ClientAddress}/24", NodeAddress);
        for (var i = 0; i < pods; i++) Connect(node, cluster.Pods[i], $"cali{i}", $"10.244.{i}.1/24", $"{PodAddress(i)}/24", $"10.244.{i}.1");
        return cluster;
    }

    public static string PodAddress(int pod) => $"10.244.{pod}.2";

    /// <summary>Lets every pod answer on the port.</summary>
    public void Listen(int port)
    {
        for (var i = 0; i < Pods.Count; i++)
        {
            var number = i;
            var listener = Pods[i].Run(() =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Any, port));
                socket.Listen(512);
                return socket;
            });
            _listeners.Add(listener);
            _ = AcceptAsync(listener, number);
        }
    }

    /// <summary>Opens a connection from a namespace and reads which pod answers.</summary>
    /// <exception cref="SocketException">Refused, unreachable or timed out.</exception>
    public static async Task<PodConnection> ConnectAsync(NetworkNamespace from, string address, int port, int timeoutMilliseconds = 2000)
    {
        var socket = from.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            using var timeout = new CancellationTokenSource(timeoutMilliseconds);
            await socket.ConnectAsync(IPAddress.Parse(address), port, timeout.Token);
            var connection = new PodConnection(socket);
            await connection.ReadGreetingAsync(timeout.Token);
            return connection;
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

    /// <summary>The pods that answer to a number of connections.</summary>
    public static async Task<SortedSet<int>> PodsBehindAsync(NetworkNamespace from, string address, int port, int attempts = 40)
    {
        var pods = new SortedSet<int>();
        for (var i = 0; i < attempts; i++)
        {
            using var connection = await ConnectAsync(from, address, port);
            pods.Add(connection.Pod);
        }

        return pods;
    }

    public void Dispose()
    {
        foreach (var listener in _listeners) listener.Dispose();
        foreach (var pod in Pods) pod.Dispose();
        Client.Dispose();
        Node.Dispose();
    }

    private static void Connect(NetworkNamespace node, NetworkNamespace other, string device, string address, string otherAddress, string gateway)
    {
        node.ConnectTo(other, device, "eth0");
        node.Exec("ip", "address", "add", address, "dev", device);
        other.Exec("ip", "address", "add", otherAddress, "dev", "eth0");
        other.Exec("ip", "route", "add", "default", "via", gateway);
    }

    private static async Task AcceptAsync(Socket listener, int pod)
    {
        try
        {
            while (true) _ = EchoAsync(await listener.AcceptAsync(), pod);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task EchoAsync(Socket socket, int pod)
    {
        using (socket)
        {
            try
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes($"{pod}\n"));
                var buffer = new byte[256];
                while (await socket.ReceiveAsync(buffer) is > 0 and var length) await socket.SendAsync(buffer.AsMemory(0, length));
            }
            catch (SocketException)
            {
                // The client went away.
            }
        }
    }
}

/// <summary>A connection to some pod.</summary>
public sealed class PodConnection(Socket socket) : IDisposable
{
    /// <summary>The number of the pod that answered.</summary>
    public int Pod { get; private set; } = -1;

    public async Task ReadGreetingAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16];
        var length = await socket.ReceiveAsync(buffer, cancellationToken);
        if (length == 0) throw new SocketException((int)SocketError.ConnectionReset);
        Pod = int.Parse(Encoding.ASCII.GetString(buffer, 0, length), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Sends a byte and waits for it to come back.</summary>
    public async Task PingAsync(int timeoutMilliseconds = 3000)
    {
        using var timeout = new CancellationTokenSource(timeoutMilliseconds);
        var buffer = new byte[] { 42 };
        await socket.SendAsync(buffer, timeout.Token);
        if (await socket.ReceiveAsync(buffer, timeout.Token) == 0) throw new SocketException((int)SocketError.ConnectionReset);
    }

    /// <summary>Ends it by a reset.</summary>
    public void Reset() => socket.Close(timeout: 0);

    public void Dispose() => socket.Dispose();
}
