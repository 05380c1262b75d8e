using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>
/// Rules as nft prints them. It leaves out comparisons that a later field says already: of <c>meta l4proto tcp tcp dport 22</c>
/// only the second half remains.
/// </summary>
internal sealed class NftRuleText
{
    private readonly NftFamily? _family;
    private readonly NftPacketContext _context;
    private readonly NftStatementText _text;
    private readonly NftRedundancy _redundancy;
    private readonly List<string?> _parts = [];

    private NftRuleText(NftFamily? family)
    {
        _family = family;
        _context = new NftPacketContext(family ?? NftFamily.Inet);
        _text = new NftStatementText(family, _context);
        _redundancy = new NftRedundancy(family ?? NftFamily.Inet, index => _parts[index] = null);
    }

    /// <summary>A rule; <paramref name="family"/> is that of its table, which decides what nft spells out.</summary>
    public static string Rule(NftRule rule, NftFamily? family = null) => new NftRuleText(family).Write(rule);

    public static string Statement(NftStatement statement, NftFamily? family = null) =>
        new NftStatementText(family, new NftPacketContext(family ?? NftFamily.Inet)).Statement(statement);

    public static string Expression(NftExpression expression) => new NftStatementText(null, new NftPacketContext(NftFamily.Inet)).Expression(expression);

    private string Write(NftRule rule)
    {
        foreach (var statement in rule.Statements)
        {
            // What the model leaves out is there in the kernel, and nft treats it as such.
            if (_family is { } table && NftPacketContext.IsMixed(table))
            {
                foreach (var needed in NftParts.Families(statement).Where(needed => _context.Family != needed))
                    Add(NftDependency.Of(table, needed));
            }

            Add(statement);
        }

        var text = string.Join(' ', _parts.OfType<string>());
        return rule.Comment is { } comment ? $"{text} comment {NftValueText.Quoted(comment)}" : text;
    }

    private void Add(NftStatement statement)
    {
        _redundancy.See(statement, _parts.Count, _context);
        _parts.Add(_text.Statement(statement));
        _context.See(statement);
    }
}
