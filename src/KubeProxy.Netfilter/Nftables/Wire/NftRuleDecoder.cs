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
    private readonly NftPacketContext _context = new(family);
    private readonly List<NftOpaque> _pending = [];
    private readonly ImmutableArray<NftStatement>.Builder _statements = ImmutableArray.CreateBuilder<NftStatement>();
    private NftRegisterFile? _file;
    private NftMatch? _heldDependency;
    private NftFamily? _familyBeforeHeld;

    private NftRegisterFile Registers => _file ??= new NftRegisterFile(_context);

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
        Registers.Clear();
        _pending.Clear();
        _statements.Clear();
        (_heldDependency, _familyBeforeHeld) = (null, null);
        _context.Reset();
    }

    private void Expression(NlAttribute expression)
    {
        var (name, data) = NftExpressionList.Read(expression);
        var attributes = data.Nested();
        _pending.Add(new NftOpaque(name) { Attributes = [.. data.Payload], Set = AnonymousSet(attributes, name) });
        if (Load(name, attributes)) return;
        var isKnown = false;
        foreach (var statement in Statements(name, attributes))
        {
            Add(statement);
            isKnown = true;
        }

        if (!isKnown) GiveUp();
    }

    /// <summary>The anonymous set that an expression looks something up in.</summary>
    private NftAnonymousSet? AnonymousSet(NlAttributes attributes, string name)
    {
        NlAttribute found;
        var isReference = name switch
        {
            "lookup" => attributes.TryFind(LookupAttribute.Set, out found),
            "objref" => attributes.TryFind(ObjrefAttribute.SetName, out found),
            _ => attributes.TryFind((LookupAttribute)ushort.MaxValue, out found),
        };
        if (!isReference || found.Text() is not { } set || !anonymous.TryGetValue(set, out var elements)) return null;
        return new NftAnonymousSet(sets[set], elements);
    }

    /// <summary>Keeps what was read since the last statement as it is.</summary>
    private void GiveUp()
    {
        if (_pending.Count == 0) return;
        Release(null);
        _statements.AddRange(_pending);
        _pending.Clear();
        Registers.Clear();
    }

    private void Add(NftStatement statement)
    {
        _pending.Clear();
        Release(statement);
        var before = _context.Family;
        _context.See(statement);
        if (NftDependency.Family(family, statement) is not null)
        {
            (_heldDependency, _familyBeforeHeld) = ((NftMatch)statement, before);
            return;
        }

        if (_statements is [.., NftMatch from] && NftRanges.Join(from, statement) is { } range) _statements[^1] = range;
        else _statements.Add(statement);
    }

    /// <summary>
    /// A comparison of the family just before a statement that depends on it belongs to that statement, unless the family was known before; any
    /// other is one of its own. Of two that are equal the second belongs to it: <see cref="NftRuleEncoder"/> writes it so that the first is not taken for it.
    /// </summary>
    private void Release(NftStatement? next)
    {
        if (_heldDependency is not { } held) return;
        _heldDependency = null;
        var needed = NftDependency.Family(family, held)!.Value;
        var belongs = _familyBeforeHeld != needed || (_statements is [.., var last] && last.Equals(held));
        if (next is not null && belongs && NftParts.Families(next).SequenceEqual([needed])) return;
        _statements.Add(held);
    }
}
