using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Ipset;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Backends;

/// <summary>The one place where modes meet their backends.</summary>
internal static class ProxyBackends
{
    /// <summary>Makes the backend of one family in the mode configured.</summary>
    /// <exception cref="ProxyBackendException">There is no such backend.</exception>
    public static IProxyBackend Create(BackendContext context) => context.Configuration.Mode switch
    {
        ProxyMode.Nftables => Netfilter.Backends.KubeProxyBuilderExtensions.CreateNftables(context.Services, BackendOptions.Nftables(context)),
        ProxyMode.Iptables => Netfilter.Backends.KubeProxyBuilderExtensions.CreateIptables(context.Services, BackendOptions.Iptables(context)),
        ProxyMode.Userspace => Netfilter.Backends.KubeProxyBuilderExtensions.CreateUserspace(
            context.Services,
            BackendOptions.Userspace(context),
            RelayOptions.ForThisProcess(context.Family) with { UdpIdleTimeout = context.Configuration.Source.UdpIdleTimeout.TimeSpan }),
        ProxyMode.Ipvs => KubeProxy.Ipvs.Backend.KubeProxyBuilderExtensions.CreateIpvs(context.Services, BackendOptions.Ipvs(context), context.Masquerade),
        var mode => throw new ProxyBackendException($"there is no backend for mode {mode}"),
    };

    /// <summary>Does what only a privileged process can do for the mode configured, so that another with fewer privileges may run it.</summary>
    /// <exception cref="ProxyBackendException">That is not allowed.</exception>
    public static void Prepare(EffectiveConfiguration configuration, KernelSettings settings, ILogger logger)
    {
        var source = configuration.Source;
        if (configuration.Mode == ProxyMode.Ipvs)
            IpvsSysctls.Apply(new KernelSettingsWriter(settings, logger), Environment.OSVersion.Version, source.Ipvs.StrictARP);
        else if (configuration.Mode == ProxyMode.Iptables && HasNodePortsOnLoopback(source))
            LocalnetRouting.Allow(settings);
    }

    /// <summary>What <c>--cleanup</c> runs, whatever the mode.</summary>
    public static IReadOnlyList<IRuleCleaner> Cleaners(KubeProxyConfiguration configuration) =>
    [
        Nftables(), Userspace(), Ipvs(configuration), Iptables(IptablesCleanup.IsOfAnyMode), Accounting(), Ipsets(), Sysctls([]),
        new LegacyCleaner(RivalSearches.Legacy),
    ];

    /// <summary>
    /// What any other mode may have left, however it ended. Modes nftables, ipvs and userspace have tables of one name, which each takes over
    /// from the others. What refers to something goes before it, and the sysctls last: what they were is not known of upstream's modes, and
    /// then the chains tell that one of these was here.
    /// </summary>
    public static IReadOnlyList<IRuleCleaner> CleanersAtStart(KubeProxyConfiguration configuration) => configuration.Mode switch
    {
        ProxyMode.Nftables => [Userspace(), Ipvs(configuration), Iptables(IptablesCleanup.IsOfAnyMode), Accounting(), Ipsets(), Sysctls(SysctlsOf(configuration))],
        ProxyMode.Iptables => [Nftables(), Userspace(), Ipvs(configuration), Ipsets(), Sysctls(SysctlsOf(configuration))],
        ProxyMode.Ipvs => [Userspace(), Iptables(IptablesCleanup.IsNotOfOurIpvsMode), Accounting(), Ipsets(), Sysctls(SysctlsOf(configuration))],
        ProxyMode.Userspace => [Ipvs(configuration), Iptables(IptablesCleanup.IsOfAnyMode), Accounting(), Ipsets(), Sysctls(SysctlsOf(configuration))],
        _ => [],
    };

    /// <summary>The sysctls that the mode configured sets, and another puts back.</summary>
    public static IReadOnlyList<ModeSysctl> SysctlsOf(KubeProxyConfiguration configuration) => configuration.Mode switch
    {
        ProxyMode.Ipvs => IpvsSysctlsOf(configuration),
        ProxyMode.Iptables when HasNodePortsOnLoopback(configuration) => [LocalnetRouting.Sysctl],
        _ => [],
    };

    /// <summary>Notes what they are, before they are set; see <see cref="SysctlRecord"/>.</summary>
    public static async Task NoteSysctlsAsync(KubeProxyConfiguration configuration, CancellationToken cancellationToken)
    {
        var sysctls = SysctlsOf(configuration);
        if (sysctls.Count == 0) return;
        await using var nftables = NftablesClient.Open();
        var isInherited = configuration.Mode == ProxyMode.Ipvs
            ? await IpvsCleanup.IsNeededAsync(() => RouteClient.Open(), cancellationToken)
            : await IptablesCleanup.HasIptablesModeAsync(nftables, IpFamily.IPv4, cancellationToken);
        await new SysctlRecord(nftables, new KernelSettings()).NoteAsync(sysctls, isInherited, cancellationToken);
    }

    private static bool HasNodePortsOnLoopback(KubeProxyConfiguration configuration) =>
        configuration.Iptables.LocalhostNodePorts != false && NodePortAddresses.Parse(configuration.NodePortAddresses).Includes(IpAddr.Parse("127.0.0.1"));

    private static NftablesCleaner Nftables() => new(() => NftablesClient.Open());

    private static IptablesCleaner Iptables(Func<IptablesChain, bool> isRemovable) => new(() => NftablesClient.Open(), new KernelSettings(), isRemovable);

    private static AccountingCleaner Accounting() => new(AccountingClient.Open);

    private static IpsetCleaner Ipsets() => new(IpsetClient.Open);

    private static SysctlCleaner Sysctls(IReadOnlyList<ModeSysctl> keep) => new(() => NftablesClient.Open(), new KernelSettings(), keep);

    private static UserspaceCleaner Userspace() => new(() => RouteClient.Open());

    private static IpvsCleaner Ipvs(KubeProxyConfiguration configuration) =>
        new(() => IpvsClient.Open(), () => RouteClient.Open(), () => NftablesClient.Open(), new KernelSettings(), IpvsSysctlsOf(configuration), BackendOptions.ExcludedBlocks(configuration));

    private static IReadOnlyList<ModeSysctl> IpvsSysctlsOf(KubeProxyConfiguration configuration) =>
        IpvsSysctls.Values(Environment.OSVersion.Version, configuration.Ipvs.StrictARP);
}
