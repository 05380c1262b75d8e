namespace KubeProxy.Netfilter.Nftables;

/// <summary>
/// An ordered list of operations that the kernel applies all together or not at all. Building it never fails;
/// <see cref="INftables.CommitAsync"/> reports what is wrong. Not thread-safe.
/// </summary>
public sealed class NftTransaction
{
    private readonly List<NftOperation> _operations = [];

    /// <summary>
    /// The generation that the ruleset must have for the transaction to be applied; null: whatever it is.
    /// </summary>
    public uint? ExpectedGeneration { get; init; }

    /// <summary>The operations so far.</summary>
    public IReadOnlyList<NftOperation> Operations => _operations;

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => _operations.Count == 0;

    /// <summary>Makes the table unless it exists.</summary>
    public NftTransaction Add(NftTable table) => Append(new NftOperation.AddTable(table));

    /// <summary>Deletes the table with everything in it. ENOENT when it does not exist.</summary>
    public NftTransaction Delete(NftTableKey table) => Append(new NftOperation.DeleteTable(table));

    /// <summary>Makes the chain unless it exists.</summary>
    public NftTransaction Add(NftChain chain) => Append(new NftOperation.AddChain(chain));

    /// <summary>Deletes the chain with its rules. EBUSY while something refers to it.</summary>
    public NftTransaction Delete(NftChainKey chain) => Append(new NftOperation.DeleteChain(chain));

    /// <summary>Deletes all rules of the chain.</summary>
    public NftTransaction Flush(NftChainKey chain) => Append(new NftOperation.FlushChain(chain));

    /// <summary>Makes the set or map unless it exists. EEXIST when it exists with other properties.</summary>
    public NftTransaction Add(NftSet set) => Append(new NftOperation.AddSet(set));

    /// <summary>Deletes the set or map with its elements. EBUSY while a rule refers to it.</summary>
    public NftTransaction Delete(NftSetKey set) => Append(new NftOperation.DeleteSet(set));

    /// <summary>Deletes all elements of the set or map.</summary>
    public NftTransaction Flush(NftSetKey set) => Append(new NftOperation.FlushSet(set));

    /// <inheritdoc cref="Delete(NftSetKey)"/>
    public NftTransaction Delete(NftSet set) => Append(new NftOperation.DeleteSet(set.Key) { Kind = set.Kind });

    /// <inheritdoc cref="Flush(NftSetKey)"/>
    public NftTransaction Flush(NftSet set) => Append(new NftOperation.FlushSet(set.Key) { Kind = set.Kind });

    /// <summary>Makes the named object unless it exists. EEXIST when it exists with another content.</summary>
    public NftTransaction Add(NftObject item) => Append(new NftOperation.AddObject(item));

    /// <summary>Deletes the named object. EBUSY while something refers to it.</summary>
    public NftTransaction Delete(NftObjectKey item) => Append(new NftOperation.DeleteObject(item));

    /// <summary>Makes the flowtable unless it exists.</summary>
    public NftTransaction Add(NftFlowtable flowtable) => Append(new NftOperation.AddFlowtable(flowtable));

    /// <summary>Deletes the flowtable. EBUSY while a rule refers to it.</summary>
    public NftTransaction Delete(NftFlowtableKey flowtable) => Append(new NftOperation.DeleteFlowtable(flowtable));

    /// <summary>Appends the rule to the chain.</summary>
    public NftTransaction Add(NftChainKey chain, NftRule rule) => Append(new NftOperation.AddRule(chain, rule));

    /// <summary>
    /// Inserts the rule before the one with that handle, or for null at the beginning of the chain. ENOENT when there is no
    /// such rule.
    /// </summary>
    public NftTransaction Insert(NftChainKey chain, NftRule rule, ulong? before = null) =>
        Append(new NftOperation.InsertRule(chain, rule, before));

    /// <summary>Deletes the rule with that handle.</summary>
    public NftTransaction Delete(NftChainKey chain, ulong handle) => Append(new NftOperation.DeleteRule(chain, handle));

    /// <summary>
    /// Adds elements. EEXIST when one is there with other data. An element that is there as it is stays. The list must not be
    /// changed until the transaction is committed.
    /// </summary>
    public NftTransaction AddElements(NftSet set, IReadOnlyList<NftElement> elements) =>
        elements.Count == 0 ? this : Append(new NftOperation.AddElements(set, elements));

    /// <summary>Deletes elements by key. ENOENT when one is not there.</summary>
    public NftTransaction DeleteElements(NftSet set, IReadOnlyList<NftElement> elements) =>
        elements.Count == 0 ? this : Append(new NftOperation.DeleteElements(set, elements));

    private NftTransaction Append(NftOperation operation)
    {
        _operations.Add(operation);
        return this;
    }
}

/// <summary>One operation of a <see cref="NftTransaction"/>. A closed set.</summary>
public abstract record NftOperation
{
    private NftOperation() { }

    /// <summary><c>add table</c>.</summary>
    public sealed record AddTable(NftTable Table) : NftOperation;

    /// <summary><c>delete table</c>.</summary>
    public sealed record DeleteTable(NftTableKey Table) : NftOperation;

    /// <summary><c>add chain</c>.</summary>
    public sealed record AddChain(NftChain Chain) : NftOperation;

    /// <summary><c>delete chain</c>, rules included.</summary>
    public sealed record DeleteChain(NftChainKey Chain) : NftOperation;

    /// <summary><c>flush chain</c>.</summary>
    public sealed record FlushChain(NftChainKey Chain) : NftOperation;

    /// <summary><c>add set</c> or <c>add map</c>.</summary>
    public sealed record AddSet(NftSet Set) : NftOperation;

    /// <summary><c>delete set</c> or <c>delete map</c>.</summary>
    public sealed record DeleteSet(NftSetKey Set) : NftOperation
    {
        /// <summary>Which of the two it is as text; the kernel does not ask.</summary>
        public NftSetKind Kind { get; init; }
    }

    /// <summary><c>flush set</c> or <c>flush map</c>.</summary>
    public sealed record FlushSet(NftSetKey Set) : NftOperation
    {
        /// <inheritdoc cref="DeleteSet.Kind"/>
        public NftSetKind Kind { get; init; }
    }

    /// <summary><c>add counter</c>, <c>add quota</c> ...</summary>
    public sealed record AddObject(NftObject Object) : NftOperation;

    /// <summary><c>delete counter</c>, <c>delete quota</c> ...</summary>
    public sealed record DeleteObject(NftObjectKey Object) : NftOperation;

    /// <summary><c>add flowtable</c>.</summary>
    public sealed record AddFlowtable(NftFlowtable Flowtable) : NftOperation;

    /// <summary><c>delete flowtable</c>.</summary>
    public sealed record DeleteFlowtable(NftFlowtableKey Flowtable) : NftOperation;

    /// <summary><c>add rule</c>.</summary>
    public sealed record AddRule(NftChainKey Chain, NftRule Rule) : NftOperation;

    /// <summary><c>insert rule</c>, at the beginning or before a handle.</summary>
    public sealed record InsertRule(NftChainKey Chain, NftRule Rule, ulong? Before) : NftOperation;

    /// <summary><c>delete rule ... handle</c>.</summary>
    public sealed record DeleteRule(NftChainKey Chain, ulong Handle) : NftOperation;

    /// <summary><c>add element</c>; sent in as many messages as needed.</summary>
    public sealed record AddElements(NftSet Set, IReadOnlyList<NftElement> Elements) : NftOperation;

    /// <summary><c>delete element</c>; sent in as many messages as needed.</summary>
    public sealed record DeleteElements(NftSet Set, IReadOnlyList<NftElement> Elements) : NftOperation;
}
