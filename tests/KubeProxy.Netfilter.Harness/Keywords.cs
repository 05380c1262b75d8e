using System.Text.RegularExpressions;

namespace KubeProxy.Netfilter.Harness;

/// <summary>What parts of the language a rule uses. Only for the report: a rule counts under each of them.</summary>
internal static partial class Keywords
{
    private static readonly (string Name, string[] Words)[] Table =
    [
        ("limit", ["limit rate"]), ("quota", ["quota"]), ("log", ["log"]), ("queue", ["queue"]), ("dup", ["dup to"]), ("fwd", ["fwd"]),
        ("tproxy", ["tproxy"]), ("synproxy", ["synproxy"]), ("ct count", ["ct count"]), ("counter", ["counter"]), ("last", ["last"]),
        ("dynset", ["add @", "update @", "delete @"]), ("vmap", ["vmap"]), ("map", [" map "]), ("named set", ["@"]), ("anonymous set", ["{"]),
        ("concatenation", [" . "]), ("range", ["-"]), ("prefix", ["/"]), ("tcp flags", ["tcp flags"]), ("tcp option", ["tcp option"]),
        ("tcp", ["tcp "]), ("udp", ["udp "]), ("ip option", ["ip option"]), ("sctp chunk", ["sctp chunk"]), ("sctp", ["sctp "]), ("dccp", ["dccp "]),
        ("exthdr", ["exthdr", "hbh", "rt0", "srh", "frag", "mh ", "dst "]), ("rt", ["rt "]), ("socket", ["socket"]), ("osf", ["osf"]), ("fib", ["fib"]), ("ipsec", ["ipsec"]),
        ("jhash", ["jhash"]), ("symhash", ["symhash"]), ("numgen", ["numgen"]), ("reject", ["reject"]), ("snat", ["snat"]), ("dnat", ["dnat"]),
        ("masquerade", ["masquerade"]), ("redirect", ["redirect"]), ("notrack", ["notrack"]), ("comparison", ["<", ">"]), ("bits", ["&", "|", "^", "<<"]),
        ("ip", ["ip "]), ("ip6", ["ip6 "]), ("icmp", ["icmp"]), ("igmp", ["igmp"]), ("ether, vlan", ["ether ", "vlan "]), ("ah, esp, comp", ["ah ", "esp ", "comp "]), ("arp", ["arp "]),
        ("raw payload", ["@ll", "@nh", "@th", "@ih"]), ("set", [" set "]), ("meta", ["meta "]), ("ct", ["ct "]), ("iif, oif", ["iif", "oif"]),
    ];

    public static IEnumerable<string> Of(string rule)
    {
        var text = Quoted().Replace(rule, "\"\"");
        return Table.Where(entry => entry.Words.Any(word => text.Contains(word, StringComparison.Ordinal))).Select(entry => entry.Name).DefaultIfEmpty("none of these");
    }

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();
}
