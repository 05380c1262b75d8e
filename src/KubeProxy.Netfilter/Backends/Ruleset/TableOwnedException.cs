using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>The table belongs to somebody else's socket (NFT_TABLE_F_OWNER): the kernel lets nobody else change it.</summary>
internal sealed class TableOwnedException(NftTableKey table) : ProxyBackendException(
    $"The nftables table '{NftChainText.Table(table)}' is owned by another process, which alone may change it (flag 'owner'). "
    + $"End that process and the table goes with it; 'nft list table {NftChainText.Table(table)}' names it. "
    + "Until then services are served by whatever that table holds.");
