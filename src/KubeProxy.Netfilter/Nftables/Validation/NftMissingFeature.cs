using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>What an errno of nf_tables most likely means for the person who has to fix it.</summary>
internal static class NftMissingFeature
{
    /// <summary>For the batch or a read; null when there is nothing to say beyond the errno.</summary>
    public static string? Explain(int errno) => errno switch
    {
        Errno.OperationNotPermitted or Errno.AccessDenied =>
            "needs CAP_NET_ADMIN in the user namespace that owns the network namespace; "
            + "a table with an owner can only be changed by the socket that made it",
        Errno.InvalidArgument or Errno.NotSupported or Errno.ProtocolNotSupported =>
            "the kernel may lack CONFIG_NF_TABLES (module nf_tables)",
        NftErrno.Emlink =>
            "jumps go more than 16 chains deep or round in a loop, or, in a network namespace that is not the first, "
            + "there are more than net.netfilter.nf_tables_jumps_max_netns",
        _ => null,
    };

    /// <summary>For an operation; null when there is nothing to say beyond the errno.</summary>
    public static string? Explain(int errno, NftOperation operation)
    {
        if (errno is Errno.OperationNotPermitted or Errno.AccessDenied or NftErrno.Emlink) return Explain(errno);
        if (errno is not (Errno.NoSuchEntry or Errno.NotSupported)) return null;
        if (operation is NftOperation.AddChain { Chain.Base: not null } && errno == Errno.NotSupported)
            return "the chain exists with another type, hook or priority, or the kernel lacks its type, such as CONFIG_NFT_NAT (module nft_chain_nat)";
        var needed = operation switch
        {
            NftOperation.AddRule add => string.Join(", ", add.Rule.Statements.SelectMany(statement => Needs(add.Chain.Table.Family, statement)).Distinct()),
            NftOperation.InsertRule insert => string.Join(", ", insert.Rule.Statements.SelectMany(statement => Needs(insert.Chain.Table.Family, statement)).Distinct()),
            NftOperation.AddChain { Chain.Base.Type: NftChainType.Nat } => "CONFIG_NFT_NAT (module nft_chain_nat)",
            NftOperation.AddTable { Table.Key.Family: NftFamily.Inet } => "CONFIG_NF_TABLES_INET (module nf_tables)",
            NftOperation.AddTable { Table.Key.Family: NftFamily.Ip } => "CONFIG_NF_TABLES_IPV4 (module nf_tables)",
            NftOperation.AddTable { Table.Key.Family: NftFamily.Ip6 } => "CONFIG_NF_TABLES_IPV6 (module nf_tables)",
            _ => "",
        };
        return needed.Length == 0 ? null : $"what it refers to does not exist, or the kernel lacks {needed}";
    }

    private static IEnumerable<string> Needs(NftFamily family, NftStatement statement)
    {
        var version = family == NftFamily.Ip6 ? "6" : "4";
        switch (statement)
        {
            case NftNat { Kind: NftNatKind.Masquerade }: yield return "CONFIG_NFT_MASQ (module nft_masq)"; break;
            case NftNat { Kind: NftNatKind.Redirect }: yield return "CONFIG_NFT_REDIR (module nft_redir)"; break;
            case NftNat: yield return "CONFIG_NFT_NAT (module nft_nat)"; break;
            case NftTproxy: yield return "CONFIG_NFT_TPROXY (module nft_tproxy)"; break;
            case NftLimit: yield return "CONFIG_NFT_LIMIT (module nft_limit)"; break;
            case NftQuota: yield return "CONFIG_NFT_QUOTA (module nft_quota)"; break;
            case NftConnectionLimit: yield return "CONFIG_NFT_CONNLIMIT (module nft_connlimit)"; break;
            case NftQueue: yield return "CONFIG_NFT_QUEUE (module nft_queue)"; break;
            case NftSynproxy: yield return "CONFIG_NFT_SYNPROXY (module nft_synproxy)"; break;
            case NftDup: yield return "CONFIG_NFT_DUP_IPV4, CONFIG_NFT_DUP_IPV6 or CONFIG_NFT_DUP_NETDEV"; break;
            case NftForward: yield return "CONFIG_NFT_FWD_NETDEV (module nft_fwd_netdev)"; break;
            case NftReject when family == NftFamily.Inet: yield return "CONFIG_NFT_REJECT_INET (module nft_reject_inet)"; break;
            case NftReject: yield return $"CONFIG_NFT_REJECT_IPV{version} (module nft_reject_ipv{version})"; break;
            case NftOpaque { Extension: { } extension } opaque: yield return $"CONFIG_NFT_COMPAT (module nft_compat) or {opaque.Name} \"{extension}\" of xtables"; break;
            case NftLog: yield return "CONFIG_NFT_LOG (module nft_log)"; break;
        }

        var expressions = NftParts.All(statement).ToArray();
        if (expressions.OfType<NftFib>().Any())
            yield return family == NftFamily.Inet ? "CONFIG_NFT_FIB_INET (module nft_fib_inet)" : $"CONFIG_NFT_FIB_IPV{version} (module nft_fib_ipv{version})";
        if (expressions.OfType<NftSocket>().Any()) yield return "CONFIG_NFT_SOCKET (module nft_socket)";
        if (expressions.OfType<NftOsf>().Any()) yield return "CONFIG_NFT_OSF (module nft_osf)";
        if (expressions.OfType<NftIpsec>().Any()) yield return "CONFIG_NFT_XFRM (module nft_xfrm)";
        if (expressions.OfType<NftNumgen>().Any()) yield return "CONFIG_NFT_NUMGEN (module nft_numgen)";
        if (expressions.Any(expression => expression is NftJhash or NftSymhash)) yield return "CONFIG_NFT_HASH (module nft_hash)";
        if (expressions.OfType<NftCt>().Any() || statement is NftSetCt) yield return "CONFIG_NFT_CT (module nft_ct)";
    }
}
