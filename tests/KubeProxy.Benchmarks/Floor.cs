using System.Diagnostics;
using KubeProxy.Netlink;

namespace KubeProxy.Benchmarks;

/// <summary>
/// The floor: the recorded datagrams sent to the kernel of another fresh namespace by a loop with nothing else, and the answers
/// read and dropped. Phases that only read are replayed too: the kernel's part of a dump is in them.
/// </summary>
internal static class Floor
{
    /// <returns>Milliseconds for each run of each phase.</returns>
    public static Dictionary<string, double> Replay(string recording)
    {
        using var file = new BinaryReader(File.OpenRead(recording));
        using var socket = NetlinkSocket.Open(NetlinkProtocol.Netfilter);
        var buffer = new byte[64 * 1024];
        var result = new Dictionary<string, double>();
        var (phase, runs, milliseconds) = ("", 0, 0.0);
        while (file.BaseStream.Position < file.BaseStream.Length)
        {
            var length = file.ReadInt32();
            if (length < 0)
            {
                if (runs > 0) result[phase] = milliseconds / runs;
                (runs, phase, milliseconds) = (-1 - length, file.ReadString(), 0);
                continue;
            }

            var datagram = file.ReadBytes(length);
            var start = Stopwatch.GetTimestamp();
            socket.Send([datagram]);
            while (socket.TryReceive(buffer, out _))
            {
            }

            milliseconds += Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return result;
    }
}
