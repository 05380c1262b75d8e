using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What <see cref="ConnbytesMatch"/> compares (<c>enum xt_connbytes_what</c>).</summary>
public enum ConnbytesUnit : byte
{
    /// <summary>packets.</summary>
    Packets, // XT_CONNBYTES_PKTS

    /// <summary>bytes.</summary>
    Bytes, // XT_CONNBYTES_BYTES

    /// <summary>avgpkt: bytes of a packet.</summary>
    AverageSize, // XT_CONNBYTES_AVGPKT
}

/// <summary>Of which direction (<c>enum xt_connbytes_direction</c>).</summary>
public enum ConnbytesDirection : byte
{
    /// <summary>original.</summary>
    Original, // XT_CONNBYTES_DIR_ORIGINAL

    /// <summary>reply.</summary>
    Reply, // XT_CONNBYTES_DIR_REPLY

    /// <summary>both.</summary>
    Both, // XT_CONNBYTES_DIR_BOTH
}

/// <summary><c>-m connbytes</c>: how much the connection has sent.</summary>
/// <param name="From">The least; when it is more than <paramref name="To"/> the range between them is excluded.</param>
/// <param name="To">The most.</param>
/// <param name="Unit">Of what.</param>
/// <param name="Direction">Of which direction.</param>
public sealed record ConnbytesMatch(ulong From, ulong To, ConnbytesUnit Unit, ConnbytesDirection Direction) : IptablesMatch
{
    // struct xt_connbytes_info (xt_connbytes.h): | from u64 | to u64 | what u8 | direction u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, ConnbytesMatch>(
        "connbytes", 0, 24,
        static (info, in _) => info[16] > 2 || info[17] > 2 ? null
            : new ConnbytesMatch(info.U64(0), info.U64(8), (ConnbytesUnit)info[16], (ConnbytesDirection)info[17]),
        static (match, info, in _) =>
        {
            info.Put(0, match.From);
            info.Put(8, match.To);
            (info[16], info[17]) = ((byte)match.Unit, (byte)match.Direction);
        },
        Print);

    private static void Print(ConnbytesMatch match, IptablesArguments text)
    {
        var (from, to) = match.From > match.To ? (match.To, match.From) : (match.From, match.To);
        text.Not(match.From > match.To).Add(to is 0 or ulong.MaxValue ? $"--connbytes {from}" : $"--connbytes {from}:{to}");
        text.Add($"--connbytes-mode {match.Unit switch { ConnbytesUnit.Packets => "packets", ConnbytesUnit.Bytes => "bytes", _ => "avgpkt" }}");
        text.Add($"--connbytes-dir {match.Direction.ToString().ToLowerInvariant()}");
    }
}
