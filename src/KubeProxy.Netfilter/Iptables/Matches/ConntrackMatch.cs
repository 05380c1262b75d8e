using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

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

/// <summary><c>-m conntrack</c>, and <c>-m state</c>.</summary>
/// <param name="States">Any of these (<c>--ctstate</c>); 0 where states do not matter.</param>
/// <param name="Negated">None of these.</param>
public sealed partial record ConntrackMatch(ConntrackStates States, bool Negated = false) : IptablesMatch
{
    /// <summary>Written as <c>-m state --state</c>.</summary>
    public bool AsState { get; init; }

    /// <summary>What else is asked for; null for nothing.</summary>
    public ConntrackDetails? Details { get; init; }
}

/// <summary>What <see cref="ConntrackMatch"/> can ask for beside states. Null is any.</summary>
public sealed record ConntrackDetails
{
    /// <summary>The protocol (<c>--ctproto</c>).</summary>
    public ProtocolMatch? Protocol { get; init; }

    /// <summary>The source of the first packet (<c>--ctorigsrc</c>).</summary>
    public AddressMatch? OriginalSource { get; init; }

    /// <summary>The destination of the first packet (<c>--ctorigdst</c>).</summary>
    public AddressMatch? OriginalDestination { get; init; }

    /// <summary>The source of replies (<c>--ctreplsrc</c>).</summary>
    public AddressMatch? ReplySource { get; init; }

    /// <summary>The destination of replies (<c>--ctrepldst</c>).</summary>
    public AddressMatch? ReplyDestination { get; init; }

    /// <summary>The source port of the first packet (<c>--ctorigsrcport</c>).</summary>
    public PortRange? OriginalSourcePort { get; init; }

    /// <summary>The destination port of the first packet (<c>--ctorigdstport</c>).</summary>
    public PortRange? OriginalDestinationPort { get; init; }

    /// <summary>The source port of replies (<c>--ctreplsrcport</c>).</summary>
    public PortRange? ReplySourcePort { get; init; }

    /// <summary>The destination port of replies (<c>--ctrepldstport</c>).</summary>
    public PortRange? ReplyDestinationPort { get; init; }

    /// <summary>Any of these (<c>--ctstatus</c>): 1 EXPECTED, 2 SEEN_REPLY, 4 ASSURED, 8 CONFIRMED (<c>IPS_*</c>); 0 is NONE.</summary>
    public ushort? Status { get; init; }

    /// <summary>None of these.</summary>
    public bool StatusNegated { get; init; }

    /// <summary>How long the connection lives on without packets, in seconds (<c>--ctexpire</c>): the least and the most.</summary>
    public (uint First, uint Last)? Expires { get; init; }

    /// <summary>Not so.</summary>
    public bool ExpiresNegated { get; init; }

    /// <summary>The direction of the packet (<c>--ctdir</c>): true for replies.</summary>
    public bool? IsReply { get; init; }
}
