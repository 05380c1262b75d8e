using System.Collections.Immutable;
using System.Net;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Node;

namespace KubeProxy.Host.Composition;

/// <summary>What the configuration means on this node.</summary>
/// <param name="configuration">The configuration in force.</param>
internal sealed class NodeSettings(EffectiveConfiguration configuration)
{
    private static readonly IpFamily[] Both = [IpFamily.IPv4, IpFamily.IPv6];

    private static readonly ImmutableDictionary<Protocol, string> NoSctp = ImmutableDictionary<Protocol, string>.Empty.Add(
        Protocol.Sctp, "SCTP is not served in mode userspace; modes nftables, iptables and ipvs serve it");

    /// <summary>The node's name: the override, or the host name in lower case.</summary>
    public string NodeName { get; } =
        configuration.Source.HostnameOverride.Length > 0 ? configuration.Source.HostnameOverride : Dns.GetHostName().Trim().ToLowerInvariant();

    /// <summary>The specific address in <c>bindAddress</c>; null when it is unspecified.</summary>
    public IpAddr? BindAddress { get; } =
        IpAddr.TryParse(configuration.Source.BindAddress, out var address) && address.Value != UInt128.Zero ? address : null;

    /// <summary>The families to program: both, unless the kernel does no IPv6.</summary>
    /// <exception cref="ProxyBackendException">The node's own family is the one that the kernel does not do.</exception>
    public static IReadOnlyList<IpFamily> Families(bool hasIpv6, IpAddr? bindAddress)
    {
        if (hasIpv6) return Both;
        if (bindAddress is { Family: IpFamily.IPv6 })
            throw new ProxyBackendException($"bindAddress is {bindAddress}, but the kernel does no IPv6 (no /proc/net/if_inet6, or net.ipv6.conf.all.disable_ipv6 is 1)");
        return [IpFamily.IPv4];
    }

    /// <summary>The options of the engine.</summary>
    public ProxyOptions ToOptions() => new()
    {
        NodeName = NodeName,
        NodeAddresses = BindAddress is { } address ? [address] : [],
        NodePortAddresses = NodePortAddresses.Parse(configuration.Source.NodePortAddresses),
        AllowExternalIPs = FeatureGates.IsEnabled(configuration.Source, "AllowServiceExternalIPs"),
        VirtualIpRanges = [.. configuration.Source.VipRanges.Select(ToRange)],
        VirtualIpsBecomeLocal = configuration.Mode == ProxyMode.Ipvs,
        UnservedProtocols = configuration.Mode == ProxyMode.Userspace ? NoSctp : ImmutableDictionary<Protocol, string>.Empty,
        MinSyncPeriod = configuration.MinSyncPeriod.TimeSpan,
        SyncPeriod = configuration.SyncPeriod.TimeSpan,
    };

    private static IpRange ToRange(string text) => IpRange.TryParse(text, out var range, out var problem) ? range : throw new FormatException($"'{text}' {problem}");

    /// <summary>The masquerading of a family.</summary>
    public MasqueradePolicy Masquerade(IpFamily family, IReadOnlyList<string> podCidrs) => new()
    {
        MarkBit = configuration.MasqueradeBit,
        All = configuration.MasqueradeAll,
        LocalDetector = LocalDetectors.For(configuration, family, podCidrs),
    };
}
