namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m mark</c>: the packet mark under a mask. iptables-nft writes it as expressions of nf_tables.</summary>
/// <param name="Value">The mark.</param>
/// <param name="Mask">The mask.</param>
/// <param name="Negated">Not so.</param>
public sealed record MarkMatch(uint Value, uint Mask = uint.MaxValue, bool Negated = false) : IptablesMatch;
