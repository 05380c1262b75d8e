namespace KubeProxy.Host.Configuration;

/// <summary>The names of the proxy modes (<c>mode</c>).</summary>
public static class ProxyMode
{
    /// <summary>nftables over netlink.</summary>
    public const string Nftables = "nftables";

    /// <summary>Rules as <c>iptables-nft</c> makes them.</summary>
    public const string Iptables = "iptables";

    /// <summary>The kernel's virtual server.</summary>
    public const string Ipvs = "ipvs";

    /// <summary>Relays in this process.</summary>
    public const string Userspace = "userspace";
}

/// <summary>The names of the ways to recognise local traffic (<c>detectLocalMode</c>).</summary>
public static class DetectLocalMode
{
    /// <summary>By <c>clusterCIDR</c>.</summary>
    public const string ClusterCidr = "ClusterCIDR";

    /// <summary>By the node's <c>spec.podCIDRs</c>.</summary>
    public const string NodeCidr = "NodeCIDR";

    /// <summary>By the bridge that pods hang on.</summary>
    public const string BridgeInterface = "BridgeInterface";

    /// <summary>By the names of the pods' interfaces.</summary>
    public const string InterfaceNamePrefix = "InterfaceNamePrefix";
}
