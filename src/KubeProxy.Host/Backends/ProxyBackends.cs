using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy;
using KubeProxy.Netfilter.Relay;
using KubeProxy.Netfilter.Route;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Backends;

/// <summary>The one place where modes meet their backends.</summary>
internal static class ProxyBackends
{
    /// <summary>Makes the backend of one family in the mode configured.</summary>
    /// <exception cref="ProxyBackendException">There is no such backend.</exception>
    public static IProxyBackend Create(BackendContext context) => context.Configuration.Mode switch
    {
        ProxyMode.Nftables => new NftablesBackend(
            new NftablesBackendOptions { Family = context.Family, Masquerade = context.Masquerade },
            NftablesBackendParts.Open(context.Nftables(), context.Family),
            context.Loggers.CreateLogger<NftablesBackend>()),
        ProxyMode.Iptables => new IptablesBackend(
            new IptablesBackendOptions
            {
                Family = context.Family,
                Masquerade = context.Masquerade,
                LocalhostNodePorts = context.Configuration.Source.Iptables.LocalhostNodePorts ?? true,
            },
            IptablesBackendParts.Open(context.Nftables(), context.Family),
            context.Loggers.CreateLogger<IptablesBackend>()),
        ProxyMode.Userspace => new UserspaceBackend(
            new UserspaceBackendOptions { Family = context.Family, Masquerade = context.Masquerade },
            UserspaceBackendParts.Open(
                context.Nftables(),
                RelayOptions.ForThisProcess(context.Family) with { UdpIdleTimeout = context.Configuration.Source.UdpIdleTimeout.TimeSpan },
                context.Loggers, context.Meters, context.Time),
            context.Loggers.CreateLogger<UserspaceBackend>()),
        var mode => throw new ProxyBackendException($"this build has no backend for mode {mode}"),
    };

    /// <summary>What <c>--cleanup</c> runs, whatever the mode.</summary>
    public static IReadOnlyList<IRuleCleaner> Cleaners() => [new NftablesCleaner(() => NftablesClient.Open()), new UserspaceCleaner(() => RouteClient.Open()), new IptablesCleaner(() => NftablesClient.Open())];

    /// <summary>What another mode may have left, and would be in the way of the mode configured. iptables and ipvs share chains.</summary>
    public static IReadOnlyList<IRuleCleaner> CleanersAtStart(string mode) => mode switch
    {
        ProxyMode.Nftables => [new IptablesCleaner(() => NftablesClient.Open())],
        ProxyMode.Iptables or ProxyMode.Ipvs => [new NftablesCleaner(() => NftablesClient.Open())],
        _ => [],
    };

    /// <summary>Why a mode cannot be used; null when it can.</summary>
    public static string? Refuse(string mode) => mode is ProxyMode.Nftables or ProxyMode.Iptables or ProxyMode.Userspace
        ? null
        : $"mode {mode} is not available in this version; use nftables (mode: nftables in the configuration file, or --proxy-mode=nftables)";
}
