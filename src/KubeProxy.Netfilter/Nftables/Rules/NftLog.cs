namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>Writes a line to the kernel log, or tells a program: <c>log prefix "..."</c>, <c>log group 1</c>.</summary>
/// <param name="Prefix">At most 127 bytes.</param>
public sealed record NftLog(string Prefix) : NftStatement
{
    /// <summary>The level of the kernel log (0 emerg to 7 debug, 8 audit); null for warning. Not with <see cref="Group"/>.</summary>
    public uint? Level { get; init; }

    /// <summary>What else the line has.</summary>
    public NftLogFlags Flags { get; init; }

    /// <summary>The nfnetlink_log group that is told instead; null for the kernel log.</summary>
    public ushort? Group { get; init; }

    /// <summary>How many bytes of the packet the program gets; null for all. Only with <see cref="Group"/>.</summary>
    public uint? SnapLength { get; init; }

    /// <summary>After how many packets the program is woken; null for the default. Only with <see cref="Group"/>.</summary>
    public ushort? QueueThreshold { get; init; }
}

/// <summary>What a line of the kernel log has besides (<c>NF_LOG_*</c>).</summary>
[Flags]
public enum NftLogFlags : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>tcp sequence</c> numbers.</summary>
    TcpSequence = 0x01, // NF_LOG_TCPSEQ

    /// <summary><c>tcp options</c>.</summary>
    TcpOptions = 0x02, // NF_LOG_TCPOPT

    /// <summary><c>ip options</c>.</summary>
    IpOptions = 0x04, // NF_LOG_IPOPT

    /// <summary><c>skuid</c>: the user of a local socket.</summary>
    Skuid = 0x08, // NF_LOG_UID

    /// <summary>Set by iptables; nft has no word for it.</summary>
    Nflog = 0x10, // NF_LOG_NFLOG

    /// <summary><c>ether</c>: MAC addresses.</summary>
    Ether = 0x20, // NF_LOG_MACDECODE

    /// <summary><c>all</c>.</summary>
    All = 0x2F, // NF_LOG_MASK
}
