namespace KubeProxy.Netfilter.Nftables;

/// <summary>The address family of a table (<c>NFPROTO_*</c> in <c>linux/netfilter.h</c>).</summary>
public enum NftFamily : byte
{
    /// <summary>IPv4 and IPv6 together.</summary>
    Inet = 1, // NFPROTO_INET

    /// <summary>IPv4.</summary>
    Ip = 2, // NFPROTO_IPV4

    /// <summary>ARP.</summary>
    Arp = 3, // NFPROTO_ARP

    /// <summary>Packets at the ingress or egress of a device.</summary>
    Netdev = 5, // NFPROTO_NETDEV

    /// <summary>Bridged frames.</summary>
    Bridge = 7, // NFPROTO_BRIDGE

    /// <summary>IPv6.</summary>
    Ip6 = 10, // NFPROTO_IPV6
}
