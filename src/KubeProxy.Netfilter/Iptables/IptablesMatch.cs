using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A condition of a rule: an extension match. A closed set, compared by value.</summary>
public abstract record IptablesMatch
{
    private protected IptablesMatch() { }
}

/// <summary>Something that this library does not know; sent back as it came.</summary>
public sealed record UnknownMatch(NftStatement Statement) : IptablesMatch;
