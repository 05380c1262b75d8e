using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Benchmarks;

/// <summary>
/// What a connection through a service costs more than one to the endpoint itself: TCP handshakes within one namespace, so that
/// nothing but the rules is in the way.
/// </summary>
internal static class FirstPacket
{
    private const int Connections = 3000;
    private static readonly IPEndPoint Endpoint = new(IPAddress.Parse(Cluster.LoopbackEndpoint), 8080);

    /// <returns>Median microseconds: directly, and through the first, the middle and the last service.</returns>
    public static async Task<List<double>> MeasureAsync(int services)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(Endpoint);
        listener.Listen(1024);
        var accepting = new Thread(() => Accept(listener)) { IsBackground = true };
        accepting.Start();

        await using var rig = new Rig(null, BackendMode.Nftables, listen: true);
        rig.Deliver(services);
        await rig.StartAsync();
        int[] probes = [0, services / 2, services - 1];
        foreach (var probe in probes) await rig.ApplyAsync(LoopbackSlice(probe));
        IPEndPoint[] targets = [Endpoint, .. probes.Select(probe => new IPEndPoint(IPAddress.Parse(Cluster.ClusterIp(probe)), 80))];
        foreach (var target in targets) Median(target, 500);
        return [.. targets.Select(target => Median(target, Connections))];
    }

    private static EndpointSlice LoopbackSlice(int service)
    {
        var slice = Cluster.Slice(service, 1);
        return slice with { Endpoints = [new Endpoint { Addresses = [Cluster.LoopbackEndpoint], Conditions = new EndpointConditions { Ready = true } }] };
    }

    private static double Median(IPEndPoint target, int connections)
    {
        var times = new double[connections];
        for (var i = 0; i < connections; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.LingerState = new LingerOption(true, 0);
            var start = Stopwatch.GetTimestamp();
            socket.Connect(target);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[connections / 2];
    }

    private static void Accept(Socket listener)
    {
        try
        {
            while (true) listener.Accept().Dispose();
        }
        catch (SocketException)
        {
            // The measurement is over.
        }
        catch (ObjectDisposedException)
        {
            // The same.
        }
    }
}
