using System.Diagnostics;
using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Accounting;
using KubeProxy.Netlink;

namespace KubeProxy.Benchmarks;

/// <summary>
/// The floor: the recorded datagrams sent to the kernel of another fresh namespace by a loop with nothing else, and the answers
/// read. Phases that only read are replayed too: the kernel's part of a dump is in them. A namespace counts generations, and a table
/// its handles, from the beginning, so the recorded ones fit.
/// </summary>
internal static class Floor
{
    // Rules of the iptables mode refer to them; they are made over another socket.
    private static readonly string[] Accounting = ["ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"];

    /// <returns>Milliseconds for each run of each phase.</returns>
    /// <exception cref="InvalidOperationException">The kernel refuses what it took when it was recorded: the replay is worth nothing.</exception>
    public static async Task<Dictionary<string, double>> ReplayAsync(string recording)
    {
        using (var accounting = AccountingClient.Open())
            foreach (var name in Accounting) await accounting.EnsureAsync(name);
        return Replay(recording);
    }

    private static Dictionary<string, double> Replay(string recording)
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
            while (socket.TryReceive(buffer, out var received)) Check(buffer.AsSpan(0, received), phase);
            milliseconds += Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return result;
    }

    private static void Check(ReadOnlySpan<byte> datagram, string phase)
    {
        foreach (var message in new NlMessages(datagram))
        {
            if (message.Header.Type != NlMsgHeader.Error) continue;
            var errno = -MemoryMarshal.Read<int>(message.Body); // struct nlmsgerr
            if (errno != 0) throw new InvalidOperationException($"The replay of '{phase}' is refused with errno {errno}.");
        }
    }
}
