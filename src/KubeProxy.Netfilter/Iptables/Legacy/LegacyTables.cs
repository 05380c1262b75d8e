using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables.Legacy;

/// <summary>A user chain in a table of iptables-legacy.</summary>
/// <param name="Table">The table, for example <c>nat</c>.</param>
/// <param name="Name">The chain.</param>
public readonly record struct LegacyChain(string Table, string Name);

/// <summary>
/// The tables of iptables-legacy (ip_tables and ip6_tables in the kernel), which packets pass beside nf_tables. Read only, and
/// only those that are there: to ask for another one would make it.
/// </summary>
public static class LegacyTables
{
    private const int IpProtocol = 0; // IPPROTO_IP
    private const int Ipv6Protocol = 41; // IPPROTO_IPV6
    private const int GetInfo = 64; // IPT_SO_GET_INFO, IP6T_SO_GET_INFO
    private const int GetEntries = 65; // IPT_SO_GET_ENTRIES, IP6T_SO_GET_ENTRIES
    private const int NameLength = 32; // XT_TABLE_MAXNAMELEN
    private const int InfoLength = 84; // sizeof(struct ipt_getinfo), the same for IPv6
    private const int InfoSizeOffset = 80; // its field size
    private const int EntriesHeaderLength = 40; // offsetof(struct ipt_get_entries, entrytable), the same for IPv6
    private const int Attempts = 5;

    /// <summary>The user chains of all tables in the network namespace of the calling thread; none when the kernel has no such tables.</summary>
    /// <param name="family">The family.</param>
    /// <param name="procDirectory">The directory that proc is mounted on.</param>
    /// <exception cref="SocketException">There are tables, and the kernel does not let this process read them (CAP_NET_ADMIN).</exception>
    public static IReadOnlyList<LegacyChain> ReadChains(IpFamily family, string procDirectory = "/proc")
    {
        var tables = NamesOf(family, procDirectory);
        if (tables.Length == 0) return [];
        var addresses = family == IpFamily.IPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        using var socket = new Socket(addresses, SocketType.Dgram, ProtocolType.Udp);
        return [.. tables.SelectMany(table => LegacyEntries.Chains(Read(socket, table, family), family).Select(chain => new LegacyChain(table, chain)))];
    }

    private static string[] NamesOf(IpFamily family, string procDirectory)
    {
        // That of the thread, because the socket is in the thread's namespace too.
        var file = Path.Combine(procDirectory, "thread-self/net", family == IpFamily.IPv4 ? "ip_tables_names" : "ip6_tables_names");
        try
        {
            return File.ReadAllText(file).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // The kernel does not have it.
        }
    }

    private static byte[] Read(Socket socket, string table, IpFamily family)
    {
        var level = family == IpFamily.IPv4 ? IpProtocol : Ipv6Protocol;
        for (var attempt = 1; ; attempt++)
        {
            var entries = new byte[EntriesHeaderLength + SizeOf(socket, level, table)];
            WriteName(entries, table);
            MemoryMarshal.Write(entries.AsSpan(NameLength), entries.Length - EntriesHeaderLength);
            try
            {
                socket.GetRawSocketOption(level, GetEntries, entries);
                return entries[EntriesHeaderLength..];
            }
            catch (SocketException) when (attempt < Attempts)
            {
                // EAGAIN: its size changed since.
            }
        }
    }

    private static int SizeOf(Socket socket, int level, string table)
    {
        Span<byte> info = stackalloc byte[InfoLength];
        info.Clear();
        WriteName(info, table);
        socket.GetRawSocketOption(level, GetInfo, info);
        return MemoryMarshal.Read<int>(info[InfoSizeOffset..]);
    }

    private static void WriteName(Span<byte> field, string table) => Encoding.ASCII.GetBytes(table.AsSpan(0, Math.Min(table.Length, NameLength - 1)), field);
}
