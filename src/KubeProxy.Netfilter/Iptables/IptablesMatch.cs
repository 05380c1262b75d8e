using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A condition of a rule: an extension match. A closed set, compared by value.</summary>
public abstract record IptablesMatch
{
    private protected IptablesMatch() { }
}

/// <summary><c>-m comment --comment</c>: always true.</summary>
/// <param name="Text">1 to 255 bytes (<c>XT_MAX_COMMENT_LEN</c>).</param>
public sealed record CommentMatch(string Text) : IptablesMatch;

/// <summary>A range of ports.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest.</param>
/// <param name="Negated">Outside of it.</param>
public sealed record PortRange(ushort First, ushort Last, bool Negated = false)
{
    /// <summary>One port.</summary>
    public static PortRange Single(ushort port) => new(port, port);
}

/// <summary>
/// <c>-m tcp</c>, <c>-m udp</c> or <c>-m sctp</c>, whichever <see cref="IptablesRule.Protocol"/> says: the ports.
/// </summary>
/// <param name="Source">The source port; null for any.</param>
/// <param name="Destination">The destination port; null for any.</param>
public sealed record PortMatch(PortRange? Source, PortRange? Destination) : IptablesMatch
{
    /// <summary>Any ports: only the protocol counts.</summary>
    public static PortMatch Any { get; } = new(null, null);
}

/// <summary>Types of addresses (<c>enum</c> <c>XT_ADDRTYPE_*</c> in <c>linux/netfilter/xt_addrtype.h</c>).</summary>
[Flags]
public enum AddressTypes : ushort
{
    /// <summary>None asked for.</summary>
    None = 0,

    /// <summary>UNSPEC.</summary>
    Unspecified = 1 << 0, // XT_ADDRTYPE_UNSPEC

    /// <summary>UNICAST.</summary>
    Unicast = 1 << 1, // XT_ADDRTYPE_UNICAST

    /// <summary>LOCAL: this host's.</summary>
    Local = 1 << 2, // XT_ADDRTYPE_LOCAL

    /// <summary>BROADCAST.</summary>
    Broadcast = 1 << 3, // XT_ADDRTYPE_BROADCAST

    /// <summary>MULTICAST.</summary>
    Multicast = 1 << 5, // XT_ADDRTYPE_MULTICAST
}

/// <summary><c>-m addrtype</c>: the types of the addresses.</summary>
/// <param name="Source">Any of these; none for any source.</param>
/// <param name="Destination">Any of these; none for any destination.</param>
public sealed record AddressTypeMatch(AddressTypes Source, AddressTypes Destination) : IptablesMatch;

/// <summary>States of connections (<c>XT_CONNTRACK_STATE_*</c>).</summary>
[Flags]
public enum ConntrackStates : ushort
{
    /// <summary>INVALID.</summary>
    Invalid = 1 << 0, // XT_CONNTRACK_STATE_INVALID

    /// <summary>ESTABLISHED.</summary>
    Established = 1 << 1, // XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED)

    /// <summary>RELATED.</summary>
    Related = 1 << 2, // XT_CONNTRACK_STATE_BIT(IP_CT_RELATED)

    /// <summary>NEW.</summary>
    New = 1 << 3, // XT_CONNTRACK_STATE_BIT(IP_CT_NEW)

    /// <summary>SNAT: the source is translated.</summary>
    Snat = 1 << 6, // XT_CONNTRACK_STATE_SNAT

    /// <summary>DNAT: the destination is translated.</summary>
    Dnat = 1 << 7, // XT_CONNTRACK_STATE_DNAT

    /// <summary>UNTRACKED.</summary>
    Untracked = 1 << 8, // XT_CONNTRACK_STATE_UNTRACKED
}

/// <summary><c>-m conntrack --ctstate</c>.</summary>
/// <param name="States">Any of these.</param>
/// <param name="Negated">None of these.</param>
public sealed record ConntrackMatch(ConntrackStates States, bool Negated = false) : IptablesMatch;

/// <summary><c>-m mark</c>: the packet mark under a mask.</summary>
public sealed record MarkMatch(uint Value, uint Mask = uint.MaxValue, bool Negated = false) : IptablesMatch;

/// <summary><c>-m statistic --mode random</c>: true with a probability.</summary>
/// <param name="Threshold">The probability in units of 2^-31.</param>
public sealed record StatisticMatch(uint Threshold) : IptablesMatch
{
    private const double One = 0x8000_0000;

    /// <summary>The probability, 0 to 1.</summary>
    public double Probability => Threshold / One;

    /// <summary>From a probability of 0 to 1.</summary>
    public static StatisticMatch Of(double probability) => new((uint)Math.Round(probability * One, MidpointRounding.AwayFromZero));
}

/// <summary>What <see cref="RecentMatch"/> does.</summary>
public enum RecentAction : byte
{
    /// <summary><c>--rcheck</c>: true for an address in the list.</summary>
    Check = 1, // XT_RECENT_CHECK

    /// <summary><c>--set</c>: puts the address into the list; true.</summary>
    Set = 2, // XT_RECENT_SET
}

/// <summary><c>-m recent</c>: a list of source addresses.</summary>
/// <param name="Name">The list, 1 to 199 bytes.</param>
/// <param name="Action">What to do.</param>
/// <param name="Seconds">With check: seen within that time; 0 for ever.</param>
/// <param name="Reap">With check: forget older ones.</param>
public sealed record RecentMatch(string Name, RecentAction Action, uint Seconds = 0, bool Reap = false) : IptablesMatch;

/// <summary><c>-m nfacct</c>: counts in an accounting object, which must exist; true.</summary>
/// <param name="Name">1 to 31 bytes.</param>
public sealed record AccountingMatch(string Name) : IptablesMatch;

/// <summary>Something that this library does not know; sent back as it came.</summary>
public sealed record UnknownMatch(NftStatement Statement) : IptablesMatch;
