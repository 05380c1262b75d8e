using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The program refuses TCP connections to services without endpoints, and a process of the node is not kept waiting for that.</summary>
[Collection("proxy processes")]
public sealed class RefusalTests : IDisposable
{
    private readonly MiniCluster _cluster = MiniCluster.Create(1);

    [Theory]
    [InlineData("nftables")]
    [InlineData("userspace")]
    public async Task Processes_of_the_node_are_refused_at_once(string mode)
    {
        using var manifests = new Manifests { Mode = mode };
        manifests.Service("web", "10.96.0.10", 30080);
        manifests.Endpoints("web");
        using var proxy = ProxyProcess.Start(_cluster.Node, manifests);
        await proxy.WaitReadyAsync();
        foreach (var (from, address, port) in new[]
        {
            (_cluster.Node, "10.96.0.10", 80), (_cluster.Node, "10.96.0.10", 81), (_cluster.Node, MiniCluster.NodeAddress, 30080),
            (_cluster.Client, "10.96.0.10", 80), (_cluster.Pods[0], "10.96.0.10", 80),
        })
        {
            var (error, took) = from.Run(() => Connect(address, port));
            Assert.Equal(SocketError.ConnectionRefused, error);
            Assert.True(took < TimeSpan.FromMilliseconds(900), $"{address}:{port} was refused after {took}"); // A second try comes after one second.
        }
    }

    public void Dispose() => _cluster.Dispose();

    // Within the system call, as most programs do: a socket that does not wait is told at once, whatever the answer.
    private static (SocketError Error, TimeSpan Took) Connect(string address, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = true };
        var start = Stopwatch.GetTimestamp();
        try
        {
            socket.Connect(IPAddress.Parse(address), port);
            return (SocketError.Success, Stopwatch.GetElapsedTime(start));
        }
        catch (SocketException refusal)
        {
            return (refusal.SocketErrorCode, Stopwatch.GetElapsedTime(start));
        }
    }
}
