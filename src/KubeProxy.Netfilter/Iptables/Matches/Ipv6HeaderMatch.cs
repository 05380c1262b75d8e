using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Headers of IPv6 (<c>MASK_*</c> in <c>linux/netfilter_ipv6/ip6t_ipv6header.h</c>).</summary>
[Flags]
public enum Ipv6Headers : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>An upper-layer protocol.</summary>
    Protocol = 1, // MASK_PROTO

    /// <summary>Destination options.</summary>
    DestinationOptions = 64, // MASK_DSTOPTS

    /// <summary>No next header.</summary>
    NoNext = 2, // MASK_NONE

    /// <summary>Authentication.</summary>
    Authentication = 8, // MASK_AH

    /// <summary>Encapsulating security payload.</summary>
    Encapsulation = 4, // MASK_ESP

    /// <summary>Fragment.</summary>
    Fragment = 16, // MASK_FRAGMENT

    /// <summary>Routing.</summary>
    Routing = 32, // MASK_ROUTING

    /// <summary>Hop-by-hop options.</summary>
    HopByHop = 128, // MASK_HOPOPTS
}

/// <summary><c>-m ipv6header</c>: which extension headers the packet has.</summary>
/// <param name="Headers">These.</param>
/// <param name="Soft">These at least, instead of these and no others.</param>
/// <param name="Negated">Not these: the bits that are turned over.</param>
public sealed record Ipv6HeaderMatch(Ipv6Headers Headers, bool Soft = false, Ipv6Headers Negated = Ipv6Headers.None) : IptablesMatch
{
    // By number of protocol, in the order in which iptables prints them.
    private static readonly (Ipv6Headers Header, byte Protocol)[] Names =
    [
        (Ipv6Headers.HopByHop, 0), (Ipv6Headers.DestinationOptions, 60), (Ipv6Headers.Routing, 43), (Ipv6Headers.Fragment, 44), (Ipv6Headers.Authentication, 51),
        (Ipv6Headers.Encapsulation, 50), (Ipv6Headers.NoNext, 59), (Ipv6Headers.Protocol, 255),
    ];

    // struct ip6t_ipv6header_info (ip6t_ipv6header.h): | matchflags u8 | invflags u8 | modeflag u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, Ipv6HeaderMatch>(
        "ipv6header", 0, 8,
        static (info, in _) => new Ipv6HeaderMatch((Ipv6Headers)info[0], info[2] != 0, (Ipv6Headers)info[1]),
        static (match, info, in _) =>
        {
            (info[0], info[1]) = ((byte)match.Headers, (byte)match.Negated);
            info[2] = match.Soft ? byte.MaxValue : (byte)0;
        },
        static (match, text) =>
        {
            var names = Names.Where(name => match.Headers.HasFlag(name.Header)).Select(name => Name(name.Protocol)).DefaultIfEmpty("NONE");
            text.Not(match.Negated != 0).Add($"--header {string.Join(',', names)}").If(match.Soft, "--soft");
        }) { Family = IpFamily.IPv6 };

    // "ip" and "hopopt" have the same number: iptables takes its own names first here.
    private static string Name(byte protocol) => protocol switch { 0 => "hop-by-hop", 255 => "protocol", _ => IptablesProtocols.Registered(protocol) };
}
