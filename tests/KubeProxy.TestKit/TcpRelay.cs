using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.TestKit;

/// <summary>
/// Hands connections through to a server, as a load balancer does, or as an HTTP proxy (<c>CONNECT</c>); or swallows what comes, as a link
/// that is down does.
/// </summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener;
    private readonly Func<EndPoint?> _target;
    private readonly bool _isProxy;
    private readonly Task _accepting;
    private readonly List<Socket> _open = [];
    private volatile Link _link = new();
    private int _connections;

    /// <summary>Begins to listen.</summary>
    /// <param name="target">Where to connect to; null when connections are refused by closing them. Asked for each.</param>
    /// <param name="isProxy">Whether clients say <c>CONNECT</c> first; where they want to go does not matter.</param>
    /// <param name="address">The address to listen at.</param>
    /// <param name="port">The port; 0 for any.</param>
    public TcpRelay(Func<EndPoint?> target, bool isProxy = false, IPAddress? address = null, int port = 0)
    {
        (_target, _isProxy) = (target, isProxy);
        _listener = new TcpListener(address ?? IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Nothing passes any more, and nobody is told.</summary>
    public void Freeze() => _link.IsDown = true;

    /// <summary>New connections work again; those of before stay dead.</summary>
    public void Heal() => _link = new Link();

    /// <summary>Ends all connections.</summary>
    public void Cut()
    {
        List<Socket> open;
        lock (_open)
        {
            open = [.. _open];
            _open.Clear();
        }

        foreach (var socket in open) socket.Close(0);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private sealed class Link
    {
        private volatile bool _isDown;

        public bool IsDown
        {
            get => _isDown;
            set => _isDown = value;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                lock (_open) _open.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // It is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var link = _link;
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        lock (_open) _open.Add(server);
        try
        {
            if (_isProxy) await GreetAsync(client);
            if (_target() is not { } target)
            {
                client.Close(0);
                return;
            }

            await server.ConnectAsync(target, _stop.Token);
            await Task.WhenAny(PassAsync(client, server, link), PassAsync(server, client, link));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One of both is gone.
        }
        finally
        {
            client.Dispose();
        }
    }

    private async Task GreetAsync(Socket client)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (!Encoding.ASCII.GetString(buffer, 0, length).Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var count = await client.ReceiveAsync(buffer.AsMemory(length), _stop.Token);
            if (count == 0) throw new IOException("the client is gone");
            length += count;
        }

        await client.SendAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _stop.Token);
    }

    private async Task PassAsync(Socket from, Socket to, Link link)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var count = await from.ReceiveAsync(buffer, _stop.Token);
            if (link.IsDown) await Task.Delay(Timeout.Infinite, _stop.Token);
            if (count == 0) return;
            for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
        }
    }
}
