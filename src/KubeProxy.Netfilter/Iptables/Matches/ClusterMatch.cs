using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m cluster</c>: whether the packet is for this node of a cluster, by a hash of the source.</summary>
/// <param name="TotalNodes">How many nodes there are, 1 to 32.</param>
/// <param name="NodeMask">Which ones this is, a bit each.</param>
/// <param name="Seed">The seed of the hash.</param>
/// <param name="Negated">For the others.</param>
public sealed record ClusterMatch(uint TotalNodes, uint NodeMask, uint Seed, bool Negated = false) : IptablesMatch
{
    // struct xt_cluster_match_info (xt_cluster.h): | total_nodes u32 | node_mask u32 | hash_seed u32 | flags u32 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, ClusterMatch>(
        "cluster", 0, 16,
        static (info, in _) => new ClusterMatch(info.U32(0), info.U32(4), info.U32(8), info.U32(12) != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.TotalNodes);
            info.Put(4, match.NodeMask);
            info.Put(8, match.Seed);
            info.Put(12, match.Negated ? 1u : 0);
        },
        static (match, text) => text.Not(match.Negated)
            .Add($"--cluster-local-nodemask 0x{match.NodeMask:x8} --cluster-total-nodes {match.TotalNodes} --cluster-hash-seed 0x{match.Seed:x8}"));
}
