namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What went in one direction of a flow. Counted if the sysctl <c>net.netfilter.nf_conntrack_acct</c> was 1 when the flow began.</summary>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes, from the IP header on.</param>
public readonly record struct FlowCounters(ulong Packets, ulong Bytes);
