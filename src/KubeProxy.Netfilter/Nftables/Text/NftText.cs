using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>
/// The model as nft text: what <c>nft list</c> prints, and what <c>nft -f</c> loads. For logs, plans, golden files and errors;
/// nothing is ever parsed back from it.
/// </summary>
public static class NftText
{
    /// <summary>A rule, for example <c>ip daddr @cluster-ips reject comment "..."</c>.</summary>
    public static string Of(NftRule rule) => NftRuleText.Rule(rule);

    /// <summary>A rule of a table of that family, which decides what nft spells out: the family of an address in <c>inet</c> tables.</summary>
    public static string Of(NftRule rule, NftFamily family) => NftRuleText.Rule(rule, family);

    /// <summary>A statement.</summary>
    public static string Of(NftStatement statement) => NftRuleText.Statement(statement);

    /// <summary>An expression.</summary>
    public static string Of(NftExpression expression) => NftRuleText.Expression(expression);

    /// <summary>An element of the set, for example <c>10.96.0.1 . tcp . 443 : goto endpoints-3</c>.</summary>
    public static string Of(NftSet set, in NftElement element) => NftSetText.Element(set, element);

    /// <summary>An operation as one nft command; <see cref="NftOperation.AddElements"/> and its opposite list every element.</summary>
    public static string Of(NftOperation operation) => Of(operation, int.MaxValue);

    /// <summary>An operation as one nft command, with at most <paramref name="maxElements"/> of its elements.</summary>
    public static string Of(NftOperation operation, int maxElements) => operation switch
    {
        NftOperation.AddTable add => $"add table {NftChainText.Table(add.Table.Key)}{Block(TableProperties(add.Table))}",
        NftOperation.DeleteTable delete => $"delete table {NftChainText.Table(delete.Table)}",
        NftOperation.AddChain add => $"add chain {Chain(add.Chain.Key)}{Block(ChainProperties(add.Chain))}",
        NftOperation.DeleteChain delete => $"delete chain {Chain(delete.Chain)}",
        NftOperation.FlushChain flush => $"flush chain {Chain(flush.Chain)}",
        NftOperation.AddSet add => $"add {NftSetText.Keyword(add.Set.Kind)} {Set(add.Set.Key)}{Block(NftSetText.Properties(add.Set).Select(Terminated))}",
        NftOperation.DeleteSet delete => $"delete {NftSetText.Keyword(delete.Kind)} {Set(delete.Set)}",
        NftOperation.FlushSet flush => $"flush {NftSetText.Keyword(flush.Kind)} {Set(flush.Set)}",
        NftOperation.AddRule add => $"add rule {Chain(add.Chain)} {NftRuleText.Rule(add.Rule, add.Chain.Table.Family)}",
        NftOperation.InsertRule { Before: { } before } insert =>
            $"insert rule {Chain(insert.Chain)} handle {before} {NftRuleText.Rule(insert.Rule, insert.Chain.Table.Family)}",
        NftOperation.InsertRule insert => $"insert rule {Chain(insert.Chain)} {NftRuleText.Rule(insert.Rule, insert.Chain.Table.Family)}",
        NftOperation.DeleteRule delete => $"delete rule {Chain(delete.Chain)} handle {delete.Handle}",
        NftOperation.AddObject add => $"add {Object(add.Object.Key)}{Block(NftObjectText.Properties(add.Object).Select(Terminated))}",
        NftOperation.DeleteObject delete => $"delete {Object(delete.Object)}",
        NftOperation.AddFlowtable add => $"add flowtable {NftChainText.Table(add.Flowtable.Key.Table)} {add.Flowtable.Key.Name} {{ {NftOpaqueText.Of("0x" + Convert.ToHexStringLower(add.Flowtable.Attributes.AsSpan()))} }}",
        NftOperation.DeleteFlowtable delete => $"delete flowtable {NftChainText.Table(delete.Flowtable.Table)} {delete.Flowtable.Name}",
        NftOperation.AddElements add => $"add element {Set(add.Set.Key)} {Elements(add.Set, add.Elements, maxElements)}",
        NftOperation.DeleteElements delete => $"delete element {Set(delete.Set.Key)} {Elements(delete.Set, delete.Elements, maxElements)}",
        _ => operation.ToString(),
    };

    /// <summary>One element of an operation as a command of its own, as errors show it.</summary>
    public static string Of(NftOperation operation, int? element, int maxElements) => operation switch
    {
        NftOperation.AddElements add when element is { } index =>
            $"add element {Set(add.Set.Key)} {{ {NftSetText.Element(add.Set, add.Elements[index])} }}",
        NftOperation.DeleteElements delete when element is { } index =>
            $"delete element {Set(delete.Set.Key)} {{ {NftSetText.Element(delete.Set, delete.Elements[index])} }}",
        _ => Of(operation, maxElements),
    };

    /// <summary>A transaction as a script that <c>nft -f</c> loads in one transaction.</summary>
    public static string Of(NftTransaction transaction)
    {
        var text = new StringBuilder();
        foreach (var operation in transaction.Operations) text.Append(Of(operation)).Append('\n');
        return text.ToString();
    }

    /// <summary>A table as <c>nft list table</c> prints it.</summary>
    /// <param name="content">The table.</param>
    /// <param name="elements">The elements of a set, in the order to print them; null to leave elements out.</param>
    public static string Of(NftTableContent content, Func<NftSet, IEnumerable<NftElement>>? elements = null)
    {
        var blocks = new List<string>();
        foreach (var item in content.Objects)
            blocks.Add(Braced($"{NftObjectText.Keyword(item.Key.Kind)} {item.Key.Name}", NftObjectText.Properties(item)));
        foreach (var set in content.Sets.Values)
            blocks.Add(SetBlock(set, elements?.Invoke(set) ?? []));
        foreach (var flowtable in content.Flowtables)
            blocks.Add(Braced($"flowtable {flowtable.Key.Name}", [NftOpaqueText.Of("0x" + Convert.ToHexStringLower(flowtable.Attributes.AsSpan()))]));
        foreach (var chain in content.Chains.Values.Where(chain => !chain.IsBlock))
            blocks.Add(ChainBlock(chain, content.Rules[chain.Key.Name], content));
        var header = string.Concat(TableProperties(content.Table).Select(line => $"\t{line.TrimEnd(';')}\n"));
        if (content.Table.Flags != NftTableFlags.None && blocks.Count > 0) header += "\n"; // as nft has it after flags
        return $"table {NftChainText.Table(content.Table.Key)} {{\n{header}{string.Join('\n', blocks)}}}\n";
    }

    private static string Braced(string name, IEnumerable<string> lines) => $"\t{name} {{\n{string.Concat(lines.Select(line => $"\t\t{line}\n"))}\t}}\n";

    private static string SetBlock(NftSet set, IEnumerable<NftElement> elements)
    {
        var text = new StringBuilder($"\t{NftSetText.Keyword(set.Kind)} {set.Key.Name} {{\n");
        foreach (var line in NftSetText.Properties(set)) text.Append("\t\t").Append(line).Append('\n');
        var list = string.Join(",\n\t\t\t     ", elements.Select(element => NftSetText.Element(set, element)));
        if (list.Length > 0) text.Append("\t\telements = { ").Append(list).Append(" }\n");
        return text.Append("\t}\n").ToString();
    }

    private static string ChainBlock(NftChain chain, IReadOnlyList<NftRuleInKernel> rules, NftTableContent content)
    {
        var text = new StringBuilder($"\tchain {chain.Key.Name} {{\n");
        if (chain.Comment is { } comment) text.Append("\t\tcomment ").Append(NftValueText.Quoted(comment)).Append('\n');
        if (chain.Base is { } hook) text.Append("\t\t").Append(NftChainText.Base(hook, chain.Key.Table.Family)).Append('\n');
        if (chain.Offload) text.Append("\t\tflags offload\n");
        if (!chain.Unknown.IsEmpty) text.Append("\t\t").Append(NftOpaqueText.Of("attributes 0x" + Convert.ToHexStringLower(chain.Unknown.AsSpan()))).Append('\n');
        foreach (var rule in rules) text.Append(NftBlockText.Rule(rule.Rule, content, "\t\t")).Append('\n');
        return text.Append("\t}\n").ToString();
    }

    private static IEnumerable<string> TableProperties(NftTable table)
    {
        if (table.Flags != NftTableFlags.None) yield return $"flags {NftChainText.Flags(table.Flags)};";
        if (table.Comment is { } comment) yield return $"comment {NftValueText.Quoted(comment)};";
        if (!table.Unknown.IsEmpty) yield return NftOpaqueText.Of("attributes 0x" + Convert.ToHexStringLower(table.Unknown.AsSpan())) + ";";
    }

    private static IEnumerable<string> ChainProperties(NftChain chain)
    {
        if (chain.Base is { } hook) yield return NftChainText.Base(hook, chain.Key.Table.Family);
        if (chain.Offload) yield return "flags offload;";
        if (!chain.Unknown.IsEmpty) yield return NftOpaqueText.Of("attributes 0x" + Convert.ToHexStringLower(chain.Unknown.AsSpan())) + ";";
        if (chain.Comment is { } comment) yield return $"comment {NftValueText.Quoted(comment)};";
    }

    private static string Elements(NftSet set, IReadOnlyList<NftElement> elements, int maxElements)
    {
        var list = string.Join(", ", elements.Take(maxElements).Select(element => NftSetText.Element(set, element)));
        return elements.Count > maxElements ? $"{{ {list}, ... }} # {elements.Count} elements" : $"{{ {list} }}";
    }

    private static string Object(NftObjectKey key) => $"{NftObjectText.Keyword(key.Kind)} {NftChainText.Table(key.Table)} {key.Name}";

    private static string Chain(NftChainKey chain) => $"{NftChainText.Table(chain.Table)} {chain.Name}";

    private static string Set(NftSetKey set) => $"{NftChainText.Table(set.Table)} {set.Name}";

    private static string Terminated(string property) => property + ";";

    private static string Block(IEnumerable<string> properties) =>
        string.Join(' ', properties) is { Length: > 0 } text ? $" {{ {text} }}" : "";
}
