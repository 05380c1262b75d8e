using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Benchmarks;

/// <summary>The endpoint of the comparison of relays: answers each byte, or swallows what comes, or holds connections.</summary>
internal static class RelayServer
{
    public const int AnswerPort = 9001;
    public const int SinkPort = 9002;
    public const int HoldPort = 9003;

    private const int AcceptingThreads = 64;

    /// <summary>Serves until the process is killed; says "ready" first.</summary>
    public static void Run()
    {
        Serve(AnswerPort, AcceptingThreads, Answer);
        Serve(SinkPort, AcceptingThreads, Swallow);
        var held = new List<Socket>();
        Serve(HoldPort, 1, socket =>
        {
            held.Add(socket);
            socket.Send(new byte[1]); // Tells the client that the connection is through.
        });
        Console.WriteLine("ready");
        Thread.Sleep(Timeout.Infinite);
    }

    private static void Serve(int port, int threads, Action<Socket> handle)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, port));
        listener.Listen(4096);
        for (var i = 0; i < threads; i++) new Thread(() => Accept(listener, handle), 128 * 1024) { IsBackground = true }.Start();
    }

    private static void Accept(Socket listener, Action<Socket> handle)
    {
        while (true)
        {
            var socket = listener.Accept();
            socket.NoDelay = true;
            try
            {
                handle(socket);
            }
            catch (SocketException)
            {
                socket.Dispose(); // The client reset the connection, which is how it ends them.
            }
        }
    }

    private static void Answer(Socket socket)
    {
        var buffer = new byte[1];
        while (socket.Receive(buffer) > 0) socket.Send(buffer);
        socket.Dispose();
    }

    // At the end it tells how much there was, so that nothing on the way counts as arrived.
    private static void Swallow(Socket socket)
    {
        var buffer = new byte[256 * 1024];
        long total = 0;
        while (socket.Receive(buffer) is > 0 and var length) total += length;
        socket.Send(BitConverter.GetBytes(total));
        socket.Dispose();
    }
}
