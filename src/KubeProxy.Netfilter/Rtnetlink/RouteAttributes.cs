namespace KubeProxy.Netfilter.Rtnetlink;

// linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h; all numbers on the wire are in host order, addresses in network order.

internal enum RtMessage : ushort
{
    NewLink = 16, // RTM_NEWLINK
    DeleteLink = 17, // RTM_DELLINK
    GetLink = 18, // RTM_GETLINK
    NewAddress = 20, // RTM_NEWADDR
    DeleteAddress = 21, // RTM_DELADDR
    GetAddress = 22, // RTM_GETADDR
    NewRoute = 24, // RTM_NEWROUTE
    DeleteRoute = 25, // RTM_DELROUTE
    NewRule = 32, // RTM_NEWRULE
    DeleteRule = 33, // RTM_DELRULE
}

internal enum RtGroup : uint
{
    Link = 1, // RTNLGRP_LINK
    IPv4Address = 5, // RTNLGRP_IPV4_IFADDR
    IPv4Route = 7, // RTNLGRP_IPV4_ROUTE
    IPv4Rule = 8, // RTNLGRP_IPV4_RULE
    IPv6Address = 9, // RTNLGRP_IPV6_IFADDR
    IPv6Route = 11, // RTNLGRP_IPV6_ROUTE
    IPv6Rule = 19, // RTNLGRP_IPV6_RULE
}

internal enum IfaAttribute : ushort
{
    Address = 1, // IFA_ADDRESS
    Local = 2, // IFA_LOCAL
    Flags = 8, // IFA_FLAGS
}

internal enum IflaAttribute : ushort
{
    Name = 3, // IFLA_IFNAME
    LinkInfo = 18, // IFLA_LINKINFO
    ExtensionMask = 29, // IFLA_EXT_MASK
}

internal enum RtaAttribute : ushort
{
    OutputInterface = 4, // RTA_OIF
    Table = 15, // RTA_TABLE
}

internal enum FraAttribute : ushort
{
    Priority = 6, // FRA_PRIORITY
    FwMark = 10, // FRA_FWMARK
    Table = 15, // FRA_TABLE
    FwMask = 16, // FRA_FWMASK
}

internal enum IflaInfoAttribute : ushort
{
    Kind = 1, // IFLA_INFO_KIND
}
