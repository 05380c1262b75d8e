using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Benchmarks;

/// <summary>What the client of the comparison of relays measured.</summary>
/// <param name="MiBPerSecond">Eight connections that send as fast as they can.</param>
/// <param name="ConnectionsPerSecond">Sixteen clients that connect, send a byte, get one back, and reset, over and over.</param>
/// <param name="ConnectP50">Microseconds of one such round, median.</param>
/// <param name="ConnectP99">The same, 99th percentile.</param>
/// <param name="RequestP50">Microseconds for a byte and its answer on sixteen open connections, median.</param>
/// <param name="RequestP99">The same, 99th percentile.</param>
internal sealed record RelayLoadResult(
    double MiBPerSecond, double ConnectionsPerSecond, double ConnectP50, double ConnectP99, double RequestP50, double RequestP99);

/// <summary>The client: threads with blocking sockets, so that it costs as little as a program on .NET can.</summary>
internal static class RelayLoad
{
    private const int Streams = 8;
    private const int Clients = 16;

    public static RelayLoadResult Run(IPAddress address, int portOffset, TimeSpan each)
    {
        var answer = new IPEndPoint(address, RelayServer.AnswerPort + portOffset);
        Rounds(answer, TimeSpan.FromSeconds(0.5)); // Warm-up.
        var throughput = Throughput(new IPEndPoint(address, RelayServer.SinkPort + portOffset), each);
        var rounds = Rounds(answer, each);
        var requests = Requests(answer, each);
        return new RelayLoadResult(
            throughput, rounds.Count / each.TotalSeconds, At(rounds, 0.5), At(rounds, 0.99), At(requests, 0.5), At(requests, 0.99));
    }

    /// <summary>Opens connections and holds them until the process is killed; says "ready" when all are there.</summary>
    public static void Hold(IPAddress address, int portOffset, int count)
    {
        var held = new List<Socket>();
        for (var i = 0; i < count; i++) held.Add(Connect(new IPEndPoint(address, RelayServer.HoldPort + portOffset)));
        foreach (var socket in held) socket.Receive(new byte[1]);
        Console.WriteLine("ready");
        Thread.Sleep(Timeout.Infinite);
        GC.KeepAlive(held);
    }

    private static double Throughput(IPEndPoint target, TimeSpan duration)
    {
        var total = 0L;
        var start = Stopwatch.GetTimestamp();
        Parallel(Streams, _ =>
        {
            using var socket = Connect(target);
            var block = new byte[128 * 1024];
            while (Stopwatch.GetElapsedTime(start) < duration) socket.Send(block);
            socket.Shutdown(SocketShutdown.Send);
            var count = new byte[8];
            socket.Receive(count);
            Interlocked.Add(ref total, BitConverter.ToInt64(count));
        });
        return total / 1048576.0 / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static List<double> Rounds(IPEndPoint target, TimeSpan duration) => Times(duration, (_, buffer) =>
    {
        using var socket = Connect(target);
        socket.LingerState = new LingerOption(true, 0); // No port is left waiting.
        socket.Send(buffer);
        if (socket.Receive(buffer) != 1) throw new InvalidOperationException("no answer");
    });

    private static List<double> Requests(IPEndPoint target, TimeSpan duration)
    {
        var sockets = Enumerable.Range(0, Clients).Select(_ => Connect(target)).ToArray();
        var times = Times(duration, (client, buffer) =>
        {
            sockets[client].Send(buffer);
            if (sockets[client].Receive(buffer) != 1) throw new InvalidOperationException("no answer");
        });
        foreach (var socket in sockets) socket.Dispose();
        return times;
    }

    private static List<double> Times(TimeSpan duration, Action<int, byte[]> round)
    {
        var all = new List<double>();
        var start = Stopwatch.GetTimestamp();
        Parallel(Clients, client =>
        {
            var own = new List<double>(1 << 16);
            var buffer = new byte[1];
            while (Stopwatch.GetElapsedTime(start) < duration)
            {
                var begin = Stopwatch.GetTimestamp();
                round(client, buffer);
                own.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            }

            lock (all) all.AddRange(own);
        });
        all.Sort();
        return all;
    }

    private static double At(List<double> sorted, double part) => sorted[(int)(sorted.Count * part)];

    private static Socket Connect(IPEndPoint target)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(target);
        return socket;
    }

    private static void Parallel(int count, Action<int> action)
    {
        Exception? problem = null;
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                action(i);
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                problem = e;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (problem is not null) throw new InvalidOperationException(problem.Message, problem);
    }
}
