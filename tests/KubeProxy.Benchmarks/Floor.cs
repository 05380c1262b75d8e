using System.Diagnostics;
using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netlink;

namespace KubeProxy.Benchmarks;

/// <summary>
/// The floor: the recorded datagrams sent to the kernel of another fresh namespace by a loop with nothing else, and the answers
/// read. Phases that only read are replayed too: the kernel's part of a dump is in them. A namespace counts generations, and a table
/// its handles, from the beginning, so the recorded ones fit.
/// </summary>
internal static class Floor
{
    // Rules of the iptables mode refer to them; they are made over a socket that is not recorded.
    private static readonly string[] Accounting = ["ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"];

    /// <returns>What each run of each phase costs.</returns>
    /// <exception cref="InvalidOperationException">The kernel refuses what it took when it was recorded: the replay is worth nothing.</exception>
    public static async Task<Dictionary<string, Cost>> ReplayAsync(string recording)
    {
        using (var accounting = AccountingClient.Open())
            foreach (var name in Accounting) await accounting.EnsureAsync(name);
        return Replay(recording);
    }

    private static Dictionary<string, Cost> Replay(string recording)
    {
        using var file = new BinaryReader(File.OpenRead(recording));
        var sockets = new Dictionary<NetlinkProtocol, NetlinkSocket>();
        var buffer = new byte[64 * 1024];
        var result = new Dictionary<string, Cost>();
        var (phase, runs, cost) = ("", 0, default(Cost));
        while (file.BaseStream.Position < file.BaseStream.Length)
        {
            var length = file.ReadInt32();
            if (length < 0)
            {
                if (runs > 0) result[phase] = cost / runs;
                (runs, phase, cost) = (-1 - length, file.ReadString(), default);
                continue;
            }

            var protocol = (NetlinkProtocol)file.ReadInt32();
            if (!sockets.TryGetValue(protocol, out var socket)) sockets[protocol] = socket = NetlinkSocket.Open(protocol);
            var datagram = file.ReadBytes(length);
            var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            socket.Send([datagram]);
            while (socket.TryReceive(buffer, out var received)) Check(buffer.AsSpan(0, received), phase);
            cost += new Cost(Stopwatch.GetElapsedTime(start).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
        }

        foreach (var socket in sockets.Values) socket.Dispose();
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
