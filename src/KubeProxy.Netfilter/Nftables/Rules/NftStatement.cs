namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>A part of a rule: a condition or an action. Compared by value.</summary>
public abstract record NftStatement
{
    private protected NftStatement() { }
}

/// <summary>Decides: <c>accept</c>, <c>drop</c>, <c>jump chain</c> ...</summary>
public sealed record NftVerdictStatement(NftVerdict Verdict) : NftStatement;

/// <summary>Decides by a verdict map: <c>key vmap @name</c>. Goes on when the map does not have the key.</summary>
public sealed record NftVerdictMapStatement(NftExpression Key, string Map) : NftStatement;

/// <summary>Sets metadata of the packet: <c>meta mark set meta mark | 0x4000</c>.</summary>
/// <param name="Key">What; the kernel takes mark, priority, nftrace, pkttype and secmark.</param>
/// <param name="Value">To what.</param>
public sealed record NftSetMeta(NftMetaKey Key, NftExpression Value) : NftStatement;

/// <summary>Sets something of the packet's connection: <c>ct mark set ct mark | 0x4000</c>.</summary>
/// <param name="Key">What; the kernel takes mark, label, zone, event and secmark.</param>
/// <param name="Value">To what.</param>
/// <param name="Direction">Of which direction, for zones; null for both.</param>
public sealed record NftSetCt(NftCtKey Key, NftExpression Value, NftCtDirection? Direction = null) : NftStatement;

/// <summary>
/// Writes a field of the packet, and corrects the checksums: <c>ip daddr set ip saddr map @name</c>. Does not match when a map
/// has nothing, and changes nothing then.
/// </summary>
/// <param name="Field">The field.</param>
/// <param name="Value">What is written.</param>
public sealed record NftSetPayload(NftField Field, NftExpression Value) : NftStatement
{
    /// <summary>Which checksums are corrected; null: those that nft corrects for the field.</summary>
    public NftChecksums? Checksums { get; init; }
}

/// <summary>Which checksums are corrected when a field is written.</summary>
/// <param name="Type">How the header's own is made (<c>enum nft_payload_csum_types</c>): 0 none, 1 internet, 2 SCTP.</param>
/// <param name="Offset">Where it stands in the header, in bytes.</param>
/// <param name="Transport">Whether the transport's checksum covers the field too (NFT_PAYLOAD_L4CSUM_PSEUDOHDR).</param>
public readonly record struct NftChecksums(uint Type, uint Offset, bool Transport);

/// <summary>Writes a TCP option of the packet: <c>tcp option maxseg size set rt mtu</c>.</summary>
/// <param name="Option">The field.</param>
/// <param name="Value">What is written.</param>
public sealed record NftSetExtension(NftExtension Option, NftExpression Value) : NftStatement;

/// <summary>Overwrites a TCP option with padding: <c>reset tcp option sack-perm</c>.</summary>
/// <param name="Option">The number of the option.</param>
public sealed record NftResetTcpOption(byte Option) : NftStatement;

/// <summary>Leaves the packet out of connection tracking: <c>notrack</c>. Only in prerouting and output chains before it.</summary>
public sealed record NftNotrack : NftStatement;

/// <summary>Hands packets of the connection to a flowtable from now on: <c>flow add @f</c>.</summary>
/// <param name="Flowtable">Its name.</param>
public sealed record NftFlowOffload(string Flowtable) : NftStatement;

/// <summary>Discards the packet and tells the sender: <c>reject</c> (port unreachable), a TCP reset, or another ICMP message.</summary>
/// <param name="TcpReset">Answer with a TCP reset; only where the rule matches TCP.</param>
public sealed record NftReject(bool TcpReset = false) : NftStatement
{
    /// <summary>Another ICMP message than port unreachable; null for that.</summary>
    public NftRejectCode? With { get; init; }
}

/// <summary>What is said to the sender of a rejected packet.</summary>
/// <param name="IsEither">The code is one for both families (<c>icmpx</c>, <c>enum nft_reject_inet_code</c>); otherwise the family's own.</param>
/// <param name="Code">The code of the destination unreachable message.</param>
public readonly record struct NftRejectCode(bool IsEither, byte Code);

/// <summary>
/// Gives the packet to a listening socket of this host without changing it: <c>tproxy to 127.0.0.1:8080</c>. Only in
/// <c>filter</c> chains of <see cref="NftHook.Prerouting"/>, for TCP and UDP; the rule does not match when there is no such socket
/// that is transparent. Packets of a connection that a transparent socket has go to that. So that the packet is not
/// forwarded, its destination must be routed to this host.
/// </summary>
/// <param name="Address">The address that the socket is bound to; null for that of the packet.</param>
/// <param name="Port">The port that it is bound to (host order); null for that of the packet.</param>
public sealed record NftTproxy(NftConstant? Address, ushort? Port) : NftStatement
{
    /// <summary>The family of the packets, where there is no address to tell; null in tables of one family, and for both.</summary>
    public NftFamily? Family { get; init; }
}

/// <summary>Passes the packet to a program: <c>queue flags bypass to 1-4</c>.</summary>
/// <param name="From">The first queue.</param>
/// <param name="To">The last one; packets are spread over all.</param>
/// <param name="Flags">How.</param>
public sealed record NftQueue(ushort From, ushort To, NftQueueFlags Flags = NftQueueFlags.None) : NftStatement
{
    /// <summary>What has the number of the queue, in place of <see cref="From"/> and <see cref="To"/>; null for these.</summary>
    public NftExpression? Number { get; init; }
}

/// <summary>Flags of <see cref="NftQueue"/> (<c>NFT_QUEUE_FLAG_*</c>).</summary>
[Flags]
public enum NftQueueFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Packets go on when no program listens.</summary>
    Bypass = 1, // NFT_QUEUE_FLAG_BYPASS

    /// <summary>Spread by processor.</summary>
    Fanout = 2, // NFT_QUEUE_FLAG_CPU_FANOUT
}

/// <summary>Sends a copy of the packet to another host or out of another device: <c>dup to 10.0.0.1 device "eth0"</c>.</summary>
/// <param name="Address">The host; null in netdev tables.</param>
/// <param name="Device">The index of the device; null for that of the route.</param>
public sealed record NftDup(NftExpression? Address, NftExpression? Device) : NftStatement;

/// <summary>Sends the packet out of another device (netdev tables): <c>fwd to "eth0"</c>.</summary>
/// <param name="Device">Its index.</param>
/// <param name="Address">The next hop; null for none.</param>
/// <param name="Family">The family of the next hop.</param>
public sealed record NftForward(NftExpression Device, NftExpression? Address = null, NftFamily? Family = null) : NftStatement;

/// <summary>Answers SYN packets in place of the server: <c>synproxy mss 1460 wscale 7 timestamp sack-perm</c>.</summary>
/// <param name="Mss">The segment size told to clients.</param>
/// <param name="WindowScale">The window scale told to clients.</param>
/// <param name="Flags">Which of these, and other options, are told (<c>NF_SYNPROXY_OPT_*</c>: 1 MSS, 2 window scale, 4 SACK, 8 timestamps).</param>
public sealed record NftSynproxy(ushort Mss, byte WindowScale, uint Flags) : NftStatement;

/// <summary>Uses a named object: <c>counter name "c"</c>, <c>ct helper set "ftp"</c>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name.</param>
public sealed record NftObjectReference(NftObjectKind Kind, string Name) : NftStatement;

/// <summary>Uses the object that a map has for a key: <c>counter name tcp dport map @m</c>.</summary>
/// <param name="Kind">What the objects are.</param>
/// <param name="Key">The key.</param>
/// <param name="Map">The map; null with <paramref name="Elements"/>.</param>
/// <param name="Elements">The elements of an anonymous map; null with <paramref name="Map"/>.</param>
public sealed record NftObjectMapStatement(NftObjectKind Kind, NftExpression Key, string? Map, NftElements? Elements = null) : NftStatement;
