using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;
using KubeProxy.Ipvs;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Host.Backends;

/// <summary>What a dry run reads. Nothing of it is written.</summary>
internal sealed record DryRunKernel : IAsyncDisposable
{
    /// <summary>nf_tables; null for none.</summary>
    public INftables? Nftables { get; init; }

    /// <summary>IPVS; null for none.</summary>
    public IIpvs? Ipvs { get; init; }

    /// <summary>Accounting objects; null for none.</summary>
    public IAccounting? Accounting { get; init; }

    /// <summary>Interfaces; null for none, and then the node has <see cref="Addresses"/>.</summary>
    public IRouteClient? Routes { get; init; }

    /// <summary>The node's addresses.</summary>
    public IReadOnlyList<IpAddr> Addresses { get; init; } = [];

    /// <summary>Where <c>/proc</c> is.</summary>
    public string Root { get; init; } = "/";

    /// <summary>The backend at work, where a dry run has to know what only its process does.</summary>
    public UserspaceBackend? Userspace { get; init; }

    /// <summary>That of the calling thread's network namespace.</summary>
    /// <param name="mode">The mode that it is for.</param>
    /// <exception cref="Netlink.NetlinkException">The kernel does not do what the mode needs.</exception>
    public static DryRunKernel Open(string mode) => new()
    {
        Nftables = NftablesClient.Open(), Routes = RouteClient.Open(), Accounting = AccountingClient.Open(), Ipvs = mode == ProxyMode.Ipvs ? IpvsClient.Open() : null,
    };

    /// <summary>Closes the sockets.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Nftables is not null) await Nftables.DisposeAsync();
        Routes?.Dispose();
        Accounting?.Dispose();
        Ipvs?.Dispose();
    }
}
