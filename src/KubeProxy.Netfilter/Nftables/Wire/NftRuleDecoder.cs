using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Raises nf_tables expressions to the statements that they were lowered from, by this library or by nft. What it does not
/// recognize becomes <see cref="NftOpaque"/>, together with what was loaded for it.
/// </summary>
/// <param name="family">The family of the table.</param>
/// <param name="sets">The sets of the table, anonymous ones included.</param>
/// <param name="anonymous">The elements of anonymous sets.</param>
internal sealed partial class NftRuleDecoder(
    NftFamily family, IReadOnlyDictionary<string, NftSet> sets, IReadOnlyDictionary<string, NftElements> anonymous)
{
    private readonly NftVerdictCache _verdicts = new();
    private readonly NftRegisterFile _registers = new();
    private readonly List<NftOpaque> _pending = [];
    private readonly ImmutableArray<NftStatement>.Builder _statements = ImmutableArray.CreateBuilder<NftStatement>();
    private NftMatch? _heldDependency;
    private NftFamily? _familyBeforeHeld;
    private NftFamily? _dependency;
    private NftFamily? _packetFamily;

    /// <summary>Reads a rule.</summary>
    public NftRuleInKernel Read(NlMessage message, out string chain)
    {
        string? name = null, comment = null;
        ulong handle = 0;
        Begin();
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<RuleAttribute>())
            {
                case RuleAttribute.Chain: name = attribute.Text(); break;
                case RuleAttribute.Handle: handle = attribute.U64BigEndian(); break;
                case RuleAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.RuleComment); break;
                case RuleAttribute.Expressions:
                    foreach (var expression in attribute.Nested()) Expression(expression);
                    break;
            }
        }

        GiveUp();
        Release(null);
        chain = name ?? throw new NetlinkFormatException("A rule without a chain.");
        return new NftRuleInKernel(new NftRule(_statements.DrainToImmutable()) { Comment = comment }, handle);
    }

    private void Begin()
    {
        _registers.Clear();
        _pending.Clear();
        _statements.Clear();
        (_heldDependency, _familyBeforeHeld, _dependency) = (null, null, null);
        _packetFamily = family == NftFamily.Inet ? null : family;
    }

    private void Expression(NlAttribute expression)
    {
        string? name = null;
        NlAttribute data = default;
        foreach (var attribute in expression.Nested())
        {
            switch (attribute.As<ExpressionAttribute>())
            {
                case ExpressionAttribute.Name: name = attribute.Text(); break;
                case ExpressionAttribute.Data: data = attribute; break;
            }
        }

        _pending.Add(new NftOpaque(name ?? "") { Attributes = [.. data.Payload] });
        var attributes = data.Nested();
        if (Load(name, attributes)) return;
        if (Statement(name, attributes) is { } statement) Add(statement);
        else GiveUp();
    }

    /// <summary>Keeps what was read since the last statement as it is.</summary>
    private void GiveUp()
    {
        if (_pending.Count == 0) return;
        Release(null);
        _statements.AddRange(_pending);
        _pending.Clear();
        _registers.Clear();
    }

    private void Add(NftStatement statement)
    {
        _pending.Clear();
        Release(statement);
        if (family == NftFamily.Inet && statement is NftMatch { Left: NftMeta { Key: NftMetaKey.Nfproto }, Operator: NftOperator.Equal } match)
        {
            (_heldDependency, _familyBeforeHeld) = (match, _packetFamily);
            _packetFamily = (NftFamily)match.Right.Value.Span[0];
            return;
        }

        _statements.Add(statement);
    }

    /// <summary>
    /// A comparison of the family just before a statement that depends on it belongs to that statement; any other is one of
    /// its own.
    /// </summary>
    private void Release(NftStatement? next)
    {
        if (_heldDependency is not { } held) return;
        _heldDependency = null;
        var needed = (NftFamily)held.Right.Value.Span[0];
        var isKnown = _dependency == needed && _familyBeforeHeld == needed;
        if (next is not null && !isKnown && NftStatementFamilies.Of(next).Contains(needed)) _dependency = needed;
        else _statements.Add(held);
    }
}
