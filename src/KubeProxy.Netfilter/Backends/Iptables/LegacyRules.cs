using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>What a kube-proxy with iptables-legacy left keeps the iptables backend from its start: services would work by either's rules.</summary>
internal static class LegacyRules
{
    /// <summary>The chains there are, in the network namespace of the calling thread.</summary>
    /// <exception cref="ProxyBackendException">The kernel does not let this process look.</exception>
    public static IReadOnlyList<LegacyChain> Read(IpFamily family)
    {
        try
        {
            return LegacyTables.ReadChains(family);
        }
        catch (SocketException e)
        {
            throw new ProxyBackendException($"iptables ({family}): the tables of iptables-legacy cannot be read ({e.Message}). Is CAP_NET_ADMIN missing?", e);
        }
    }

    /// <summary>Does nothing when there is nothing of a kube-proxy.</summary>
    /// <exception cref="ProxyBackendException">There is something; the message says what to do.</exception>
    public static void Refuse(IpFamily family, IReadOnlyList<LegacyChain> chains)
    {
        if (LegacyRivals.Find(family, chains) is { } found)
            throw new ProxyBackendException($"iptables ({family}): there are {found.Subject} ({found.Details}), which packets would pass as well. {found.Remedy} Then start this proxy again.");
    }
}
