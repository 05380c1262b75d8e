using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Iptables.Legacy;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>What the iptables backend reaches the kernel with.</summary>
public sealed class IptablesBackendParts : NetfilterParts
{
    /// <summary>Accounting objects; null when rules are not to use any.</summary>
    public IAccounting? Accounting { get; init; }

    /// <summary>The user chains of iptables-legacy, as found when the parts were opened.</summary>
    public IReadOnlyList<LegacyChain> LegacyChains { get; init; } = [];

    /// <summary>The sysctls.</summary>
    public KernelSettings Settings { get; init; } = new();

    /// <summary>Makes the meter <c>KubeProxy.Iptables</c>; null for one that is only found by listeners of all meters.</summary>
    public IMeterFactory? Meters { get; init; }

    /// <summary>Opens the sockets for one family in the network namespace of the calling thread.</summary>
    /// <param name="connection">Shared by all families; must outlive the backends.</param>
    /// <param name="family">The family.</param>
    /// <param name="settings">The sysctls; null for those of the kernel.</param>
    /// <param name="meters">See <see cref="Meters"/>.</param>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    public static IptablesBackendParts Open(NftablesConnection connection, IpFamily family, KernelSettings? settings = null, IMeterFactory? meters = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new IptablesBackendParts
        {
            Nftables = connection.Client,
            ForeignChanges = connection.Watch(change => OwnedChains.Concerns(change, family)),
            Conntrack = ConntrackClient.Open(),
            Routes = RouteClient.Open(),
            Accounting = AccountingClient.Open(),
            LegacyChains = LegacyRules.Read(family),
            Settings = settings ?? new KernelSettings(),
            Meters = meters,
        };
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Accounting?.Dispose();
    }
}
