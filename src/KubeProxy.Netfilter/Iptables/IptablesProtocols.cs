using System.Globalization;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Protocols as iptables prints them: by name where it knows one, else by number.</summary>
public static class IptablesProtocols
{
    /// <summary>The names that iptables has itself; they come before those of <c>/etc/protocols</c>.</summary>
    private static readonly (byte Number, string Name)[] Own =
    [
        (6, "tcp"), (132, "sctp"), (17, "udp"), (136, "udplite"), (1, "icmp"), (58, "ipv6-icmp"), (50, "esp"), (51, "ah"), (135, "mobility-header"),
    ];

    /// <summary>What <c>/etc/protocols</c> of the usual systems has, from IANA's registry (Assigned Internet Protocol Numbers).</summary>
    private static readonly (byte Number, string Name)[] Known =
    [
        (0, "ip"), (1, "icmp"), (2, "igmp"), (3, "ggp"), (4, "ipencap"), (5, "st"), (6, "tcp"), (8, "egp"), (9, "igp"), (12, "pup"), (17, "udp"), (20, "hmp"), (22, "xns-idp"),
        (27, "rdp"), (29, "iso-tp4"), (33, "dccp"), (36, "xtp"), (37, "ddp"), (38, "idpr-cmtp"), (41, "ipv6"), (43, "ipv6-route"), (44, "ipv6-frag"),
        (45, "idrp"), (46, "rsvp"), (47, "gre"), (50, "esp"), (51, "ah"), (57, "skip"), (58, "ipv6-icmp"), (59, "ipv6-nonxt"), (60, "ipv6-opts"),
        (73, "rspf"), (81, "vmtp"), (88, "eigrp"), (89, "ospf"), (93, "ax.25"), (94, "ipip"), (97, "etherip"), (98, "encap"), (103, "pim"),
        (108, "ipcomp"), (112, "vrrp"), (115, "l2tp"), (124, "isis"), (132, "sctp"), (133, "fc"), (135, "mobility-header"), (136, "udplite"),
        (137, "mpls-in-ip"), (138, "manet"), (139, "hip"), (140, "shim6"), (141, "wesp"), (142, "rohc"), (143, "ethernet"),
    ];

    /// <summary>As <c>-p</c> shows it.</summary>
    /// <param name="protocol">The IANA protocol number.</param>
    public static string Name(byte protocol) => Find(Own, protocol) ?? Registered(protocol);

    /// <summary>As the registry has it.</summary>
    internal static string Registered(byte protocol) => Find(Known, protocol) ?? protocol.ToString(CultureInfo.InvariantCulture);

    private static string? Find((byte Number, string Name)[] names, byte protocol)
    {
        foreach (var (number, name) in names)
            if (number == protocol) return name;
        return null;
    }
}
