namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>A part of a rule: a condition or an action. Compared by value.</summary>
public abstract record NftStatement
{
    private protected NftStatement() { }
}

/// <summary>A comparison (<c>enum nft_cmp_ops</c>).</summary>
public enum NftOperator : uint
{
    /// <summary>Equal.</summary>
    Equal = 0, // NFT_CMP_EQ

    /// <summary>Not equal.</summary>
    NotEqual = 1, // NFT_CMP_NEQ
}

/// <summary>Continues only when the value compares so: <c>ip saddr != 10.0.0.1</c>.</summary>
public sealed record NftMatch(NftExpression Left, NftOperator Operator, NftConstant Right) : NftStatement;

/// <summary>
/// Continues only when the address (or the beginning of the name) is in the block: <c>ip daddr != 127.0.0.0/8</c>,
/// <c>iifname "cali*"</c>. <paramref name="PrefixBits"/> of <paramref name="Prefix"/> are compared.
/// </summary>
public sealed record NftPrefixMatch(NftExpression Left, NftOperator Operator, NftConstant Prefix, int PrefixBits) : NftStatement;

/// <summary>Continues only when any (or with <paramref name="None"/>, none) of the bits is set: <c>ct state new</c>, <c>meta mark &amp; 0x4000 != 0</c>.</summary>
public sealed record NftBitsMatch(NftExpression Left, uint Bits, bool None = false) : NftStatement;

/// <summary>Continues only when the set has (or has not) the value: <c>ip daddr @cluster-ips</c>.</summary>
public sealed record NftSetMatch(NftExpression Key, string Set, bool Negated = false) : NftStatement;

/// <summary>Decides: <c>accept</c>, <c>drop</c>, <c>jump chain</c> ...</summary>
public sealed record NftVerdictStatement(NftVerdict Verdict) : NftStatement;

/// <summary>Decides by a verdict map: <c>key vmap @name</c>. Goes on when the map does not have the key.</summary>
public sealed record NftVerdictMapStatement(NftExpression Key, string Map) : NftStatement;

/// <summary>Sets the packet mark: <c>meta mark set meta mark | 0x4000</c>.</summary>
public sealed record NftSetMark(NftExpression Value) : NftStatement;

/// <summary>Sets the mark of the packet's connection: <c>ct mark set ct mark | 0x4000</c>.</summary>
public sealed record NftSetCtMark(NftExpression Value) : NftStatement;

/// <summary>
/// Writes an address into the packet, and corrects the checksums: <c>ip daddr set ip saddr map @name</c>. Does not match when the map
/// has nothing, and changes nothing then.
/// </summary>
/// <param name="Field">A source or destination address.</param>
/// <param name="Value">What is written.</param>
public sealed record NftSetAddress(NftField Field, NftExpression Value) : NftStatement;

/// <summary>
/// Translates the destination to what <paramref name="Target"/> yields, an address or address and port:
/// <c>dnat ip to ... map @endpoints</c>, or to a constant.
/// </summary>
/// <param name="Target">A map lookup or a constant address.</param>
/// <param name="Port">A constant port (host order) beside a constant address; null for none.</param>
/// <param name="TargetHasPort">With a map: its data is an address and a port.</param>
/// <param name="IPv6">The family of the address.</param>
public sealed record NftDnat(NftExpression Target, ushort? Port, bool TargetHasPort, bool IPv6) : NftStatement;

/// <summary>Translates the source to the address of the output interface: <c>masquerade</c>.</summary>
/// <param name="FullyRandom">Choose the source port fully at random.</param>
public sealed record NftMasquerade(bool FullyRandom = false) : NftStatement;

/// <summary>Redirects to a port of this host: <c>redirect to :8080</c>, or to what a map yields.</summary>
/// <param name="Port">A constant port or a map lookup that yields one.</param>
public sealed record NftRedirect(NftExpression Port) : NftStatement;

/// <summary>
/// Gives the packet to a listening socket of this host without changing it: <c>tproxy to 127.0.0.1:8080</c>. Only in
/// <c>filter</c> chains of <see cref="NftHook.Prerouting"/>, for TCP and UDP; the rule does not match when there is no such socket
/// that is transparent. Packets of a connection that a transparent socket has go to that. So that the packet is not
/// forwarded, its destination must be routed to this host.
/// </summary>
/// <param name="Address">The address that the socket is bound to.</param>
/// <param name="Port">The port that it is bound to (host order).</param>
public sealed record NftTproxy(NftConstant Address, ushort Port) : NftStatement;

/// <summary>
/// Continues only when the packet is from or for a socket that takes packets for foreign addresses (IP_TRANSPARENT):
/// <c>socket transparent 1</c>.
/// </summary>
public sealed record NftTransparentSocket : NftStatement;

/// <summary>Discards the packet and tells the sender: <c>reject</c> (port unreachable), or a TCP reset.</summary>
/// <param name="TcpReset">Answer with a TCP reset; only where the rule matches TCP.</param>
public sealed record NftReject(bool TcpReset = false) : NftStatement;

/// <summary>Counts packets and bytes. The values are observed only and not part of equality.</summary>
public sealed record NftCounter : NftStatement
{
    /// <summary>Packets counted.</summary>
    public ulong Packets { get; init; }

    /// <summary>Bytes counted.</summary>
    public ulong Bytes { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftCounter? other) => other is not null;

    /// <inheritdoc/>
    public override int GetHashCode() => 1;
}

/// <summary>Writes a line to the kernel log: <c>log prefix "..."</c>.</summary>
/// <param name="Prefix">At most 127 bytes.</param>
public sealed record NftLog(string Prefix) : NftStatement;

/// <summary>What a rule does to a set (<c>enum nft_dynset_ops</c>).</summary>
public enum NftDynsetOperation : uint
{
    /// <summary>Adds the element if it is not there.</summary>
    Add = 0, // NFT_DYNSET_OP_ADD

    /// <summary>Adds it, or restarts its timeout.</summary>
    Update = 1, // NFT_DYNSET_OP_UPDATE

    /// <summary>Deletes it.</summary>
    Delete = 2, // NFT_DYNSET_OP_DELETE
}

/// <summary>
/// Changes a dynamic set or map from the packet path: <c>update @affinity { ip saddr }</c>. What an element of a map maps to does not change
/// while it is there. nft 1.0.6 loads a map's key of at most 16 bytes.
/// </summary>
public sealed record NftDynset(NftDynsetOperation Operation, string Set, NftExpression Key) : NftStatement
{
    /// <summary>How long the element lives from now on; null: as the set says. Millisecond resolution.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What an element that is added maps to; null for sets, needed for maps. Must not come from a map: nft cannot list that.</summary>
    public NftExpression? Data { get; init; }
}
