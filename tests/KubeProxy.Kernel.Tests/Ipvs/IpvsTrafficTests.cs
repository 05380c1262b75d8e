using System.Net;
using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Ipvs;

namespace KubeProxy.Kernel.Tests.Ipvs;

/// <summary>What the kernel counts of connections, as the client reads it.</summary>
[Trait("Kernel", "uml")]
public sealed class IpvsTrafficTests : IDisposable
{
    private readonly IpvsNode _node = IpvsNode.Create();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("10.96.0.10", "10.244.0.1", "32")]
    [InlineData("fd00:10:96::10", "fd00:10:244::1", "128")]
    public async Task Connections_are_counted_and_counters_zeroed(string service, string pod, string prefixLength)
    {
        var key = new VirtualServiceKey(IpAddr.Parse(service), Protocol.Tcp, 80);
        var destination = new Destination { Endpoint = new IpEndpoint(IpAddr.Parse(pod), 8080) };
        foreach (var address in new[] { service, pod }) _node.Namespace.Exec("ip", "address", "add", $"{address}/{prefixLength}", "dev", "lo");
        Assert.Empty(await _node.Client.ApplyAsync([new IpvsOperation.AddService(new VirtualService { Key = key, Scheduler = "rr" }),
            new IpvsOperation.AddDestination(key, destination)], Ct));
        using var listener = _node.Namespace.Run(() =>
        {
            var socket = new TcpListener(IPAddress.Parse(pod), 8080);
            socket.Start();
            return socket;
        });

        using var client = _node.Namespace.Run(() => new Socket(IPAddress.Parse(pod).AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Parse(service), 80, Ct);
        using var accepted = await listener.AcceptSocketAsync(Ct);
        await client.SendAsync(new byte[1000], Ct);
        Assert.NotEqual(0, await accepted.ReceiveAsync(new byte[1000], Ct));

        var state = await UntilAsync(key, state => state.ActiveConnections == 1 && state.Statistics is { Connections: 1, BytesIn: > 1000, PacketsOut: > 0 });
        Assert.True(state.HasConnections);
        Assert.Equal((destination, 1u), (state.Destination, state.ActiveConnections));
        Assert.Equal(1u, (await _node.Client.FindServiceAsync(key, Ct))?.Statistics.Connections);

        await _node.Client.ZeroAsync(key, Ct);
        await UntilAsync(key, state => state.Statistics is { Connections: 0, BytesIn: 0 } && state.ActiveConnections == 1);
        Assert.Equal(0u, (await _node.Client.FindServiceAsync(key, Ct))?.Statistics.Connections);

        // With weight 0 it keeps the connection it has, and gets no new one.
        await _node.Client.ApplyAsync(new IpvsOperation.SetDestination(key, destination with { Weight = 0 }), Ct);
        await client.SendAsync(new byte[1], Ct);
        Assert.Equal(1, await accepted.ReceiveAsync(new byte[1], Ct));
        using var second = _node.Namespace.Run(() => new Socket(IPAddress.Parse(pod).AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await Assert.ThrowsAsync<SocketException>(async () => await second.ConnectAsync(IPAddress.Parse(service), 80, Ct));
    }

    /// <summary>The kernel sums up its counters every two seconds.</summary>
    private async Task<DestinationState> UntilAsync(VirtualServiceKey key, Func<DestinationState, bool> condition)
    {
        for (var attempt = 0; ; attempt++)
        {
            var state = Assert.Single(await _node.Client.ListDestinationsAsync(key, Ct));
            if (condition(state)) return state;
            Assert.True(attempt < 300, $"{state}");
            await Task.Delay(100, Ct);
        }
    }
}
