using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>How far an address is valid (<c>enum rt_scope_t</c>, linux/rtnetlink.h).</summary>
public enum AddressScope : byte
{
    /// <summary>Everywhere.</summary>
    Universe = 0, // RT_SCOPE_UNIVERSE

    /// <summary>In the site (IPv6, historic).</summary>
    Site = 200, // RT_SCOPE_SITE

    /// <summary>On the link.</summary>
    Link = 253, // RT_SCOPE_LINK

    /// <summary>On this host: loopback.</summary>
    Host = 254, // RT_SCOPE_HOST

    /// <summary>Nowhere.</summary>
    Nowhere = 255, // RT_SCOPE_NOWHERE
}

/// <summary>The state of an address (<c>IFA_F_*</c>, linux/if_addr.h).</summary>
[Flags]
public enum AddressFlags
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Another address of the same network came before (IPv4), or a temporary one (IPv6).</summary>
    Secondary = 0x01, // IFA_F_SECONDARY

    /// <summary>IPv6: no duplicate address detection.</summary>
    NoDuplicateDetection = 0x02, // IFA_F_NODAD

    /// <summary>IPv6: another node has it, so it is not in use.</summary>
    DuplicateDetected = 0x08, // IFA_F_DADFAILED

    /// <summary>IPv6: not to be chosen as a source.</summary>
    Deprecated = 0x20, // IFA_F_DEPRECATED

    /// <summary>IPv6: duplicate address detection is under way.</summary>
    Tentative = 0x40, // IFA_F_TENTATIVE

    /// <summary>Not limited in time.</summary>
    Permanent = 0x80, // IFA_F_PERMANENT
}

/// <summary>An address of an interface of this network namespace.</summary>
/// <param name="InterfaceIndex">The number of the interface.</param>
/// <param name="Address">The address itself.</param>
/// <param name="PrefixLength">The length of its network's prefix, 0 to 32 or 0 to 128.</param>
/// <param name="Scope">How far it is valid.</param>
/// <param name="Flags">Its state.</param>
public readonly record struct InterfaceAddress(
    int InterfaceIndex, IpAddr Address, int PrefixLength, AddressScope Scope = AddressScope.Universe, AddressFlags Flags = AddressFlags.None);
