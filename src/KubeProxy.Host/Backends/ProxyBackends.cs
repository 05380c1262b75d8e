using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy;
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
        var mode => throw new ProxyBackendException($"this build has no backend for mode {mode}"),
    };

    /// <summary>What <c>--cleanup</c> runs, whatever the mode.</summary>
    public static IReadOnlyList<IRuleCleaner> Cleaners() => [new NftablesCleaner(() => NftablesClient.Open()), new IptablesCleaner(() => NftablesClient.Open())];

    /// <summary>What another mode may have left, and would be in the way of the mode configured. iptables and ipvs share chains.</summary>
    public static IReadOnlyList<IRuleCleaner> CleanersAtStart(string mode) => mode switch
    {
        ProxyMode.Nftables => [new IptablesCleaner(() => NftablesClient.Open())],
        ProxyMode.Iptables or ProxyMode.Ipvs => [new NftablesCleaner(() => NftablesClient.Open())],
        _ => [],
    };

    /// <summary>Why a mode cannot be used; null when it can.</summary>
    public static string? Refuse(string mode) => mode is ProxyMode.Nftables or ProxyMode.Iptables
        ? null
        : $"mode {mode} is not available in this version; use nftables (mode: nftables in the configuration file, or --proxy-mode=nftables)";
}
