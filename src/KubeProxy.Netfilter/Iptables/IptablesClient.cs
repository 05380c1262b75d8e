using System.Collections.Immutable;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A chain of a standard table as it stands in the kernel.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="Rules">Its rules, in order.</param>
public sealed record IptablesChainContent(NftChain Chain, ImmutableArray<IptablesRuleInKernel> Rules);

/// <summary>A rule as it stands in the kernel.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Handle">The kernel's number for it, unique in the table.</param>
public sealed record IptablesRuleInKernel(IptablesRule Rule, ulong Handle);

/// <summary>
/// The standard tables as <c>iptables-nft</c> has them, of one family, over a client of nf_tables. Rules are added to an
/// <see cref="NftTransaction"/> in the form that <see cref="Encode"/> gives them.
/// </summary>
/// <param name="nftables">The client; not disposed.</param>
/// <param name="family">The family: that of <c>iptables</c> or of <c>ip6tables</c>.</param>
public sealed class IptablesClient(INftables nftables, IpFamily family)
{
    /// <summary>The family.</summary>
    public IpFamily Family => family;

    /// <summary>The rule in the form that iptables-nft gives it in the kernel.</summary>
    /// <exception cref="ArgumentException">A name or comment is too long, or ports stand without a protocol that has them.</exception>
    public static NftRule Encode(IptablesRule rule, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return IptablesRuleEncoder.Encode(rule, family);
    }

    /// <summary>The rule in the terms of iptables. Never fails: what is not known is kept as it is.</summary>
    public static IptablesRule Decode(NftRule rule, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return new IptablesRuleDecoder(family).Decode(rule);
    }

    /// <summary>The chains of a table by name; none when the table does not exist.</summary>
    /// <exception cref="NftReadException">The kernel refused.</exception>
    public async Task<IReadOnlyDictionary<string, IptablesChainContent>> ReadAsync(IptablesTable table, CancellationToken cancellationToken = default)
    {
        return Decode(await nftables.ReadTableAsync(table.Key(family), cancellationToken), family);
    }

    /// <summary>The table as <c>iptables-save</c> prints it, sorted by chain and without counters.</summary>
    /// <exception cref="NftReadException">The kernel refused.</exception>
    public async Task<string> SaveAsync(IptablesTable table, CancellationToken cancellationToken = default) =>
        Save(table.NftName(), await ReadAsync(table, cancellationToken), family);

    /// <summary>A standard table as <c>iptables-save</c> prints it, sorted by chain and without counters.</summary>
    public static string Save(NftTableContent content, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(content);
        return Save(content.Table.Key.Name, Decode(content, family), family);
    }

    private static SortedDictionary<string, IptablesChainContent> Decode(NftTableContent? content, IpFamily family)
    {
        var result = new SortedDictionary<string, IptablesChainContent>(StringComparer.Ordinal);
        if (content is null) return result;
        var decoder = new IptablesRuleDecoder(family);
        foreach (var (name, chain) in content.Chains)
        {
            var rules = content.Rules[name].Select(rule => new IptablesRuleInKernel(decoder.Decode(rule.Rule), rule.Handle));
            result.Add(name, new IptablesChainContent(chain, [.. rules]));
        }

        return result;
    }

    private static string Save(string table, IReadOnlyDictionary<string, IptablesChainContent> chains, IpFamily family)
    {
        var text = new StringBuilder().Append('*').Append(table).Append('\n');
        foreach (var (name, content) in chains)
            text.Append(':').Append(name).Append(' ').Append(content.Chain.Base is not { } hook ? "-" : hook.DropByDefault ? "DROP" : "ACCEPT").Append('\n');
        foreach (var (name, content) in chains)
            foreach (var rule in content.Rules) text.Append(IptablesText.Line(name, rule.Rule, family)).Append('\n');
        return text.Append("COMMIT\n").ToString();
    }
}
