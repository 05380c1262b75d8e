namespace KubeProxy.Netfilter.Nftables;

/// <summary>
/// nf_tables of one network namespace. Implemented by the kernel client (<c>NftablesClient</c>) and, for tests, by an
/// in-memory one; both pass the same contract tests.
/// </summary>
public interface INftables : IAsyncDisposable
{
    /// <summary>
    /// Applies all operations of the transaction, or none.
    /// </summary>
    /// <exception cref="NftTransactionException">
    /// The kernel refused it; nothing was changed. <see cref="NftTransactionException.Failures"/> has every operation refused.
    /// With <see cref="NftTransactionException.IsStale"/>, someone else changed the ruleset since
    /// <see cref="NftTransaction.ExpectedGeneration"/>.
    /// </exception>
    /// <exception cref="NftUnknownOutcomeException">
    /// The kernel's answers were lost (ENOBUFS): it may have applied the transaction or not. Read back and compare.
    /// </exception>
    Task<NftCommitResult> CommitAsync(NftTransaction transaction, CancellationToken cancellationToken = default);

    /// <summary>
    /// Checks and encodes a transaction, so that only the kernel's part is left: that can be done while the kernel is busy with another.
    /// </summary>
    /// <exception cref="NftTransactionException">
    /// Something in it cannot be encoded, or would not read back as it was written: reported as the kernel's refusals are.
    /// </exception>
    INftPreparedTransaction Prepare(NftTransaction transaction);

    /// <summary>The generation of the ruleset, which every transaction of anybody increases by one.</summary>
    Task<uint> GetGenerationAsync(CancellationToken cancellationToken = default);

    /// <summary>The tables of a family; of all families for null.</summary>
    Task<IReadOnlyList<NftTable>> ListTablesAsync(NftFamily? family = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Everything in a table but elements, as of one generation; null when there is no such table.
    /// Anonymous sets are resolved into the rules.
    /// </summary>
    Task<NftTableContent?> ReadTableAsync(NftTableKey table, CancellationToken cancellationToken = default);

    /// <summary>The chains of a table, without their rules; none when there is no such table.</summary>
    Task<IReadOnlyList<NftChain>> ListChainsAsync(NftTableKey table, CancellationToken cancellationToken = default);

    /// <summary>
    /// Streams the rules of a table, or of one of its chains, in order and without keeping them, for tables too large for
    /// <see cref="ReadTableAsync"/>. Anonymous sets are not resolved: what uses them is opaque. Consistent only if
    /// <see cref="GetGenerationAsync"/> answers the same before and after.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="chain">The chain; null for all of them.</param>
    /// <param name="visit">Gets each rule.</param>
    /// <param name="restart">Called before the dump begins again because the ruleset changed meanwhile.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NftReadException">The table or the chain does not exist (ENOENT), or the kernel refused.</exception>
    Task VisitRulesAsync(
        NftTableKey table, string? chain, NftRuleVisitor visit, Action restart, CancellationToken cancellationToken = default);

    /// <summary>
    /// Streams the elements of a set to <paramref name="visit"/> without keeping them. An element may be visited again when the
    /// ruleset changes meanwhile and the dump has to be restarted; <paramref name="restart"/> is called before that.
    /// </summary>
    /// <returns>The generation that all elements are of.</returns>
    Task<uint> ReadElementsAsync(NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks for elements by key, of a set that is no interval set. This takes time in proportion to what is asked for, about 2 us for each key, whereas a
    /// dump of a large set takes time in proportion to the square of what is in it: the kernel begins it anew for each part. For a
    /// hundred thousand elements both take the same.
    /// </summary>
    /// <param name="set">The set.</param>
    /// <param name="keys">
    /// Lists of keys; nothing else of these elements counts. Of each list the elements up to the first that is not in the set are found: a list of one key
    /// finds out whether it is there, a longer one reads what is numbered. Enumerated again after <paramref name="restart"/>.
    /// </param>
    /// <param name="visit">Gets what is found, in the order of the keys.</param>
    /// <param name="restart">Called when the ruleset changed meanwhile and all is asked again: forget what was visited.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The generation that all elements are of.</returns>
    /// <exception cref="ArgumentException">The set is an interval set.</exception>
    /// <exception cref="NftReadException">There is no such set (ENOENT), the kernel refused, or the ruleset changed during every attempt (EINTR).</exception>
    Task<uint> GetElementsAsync(
        NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, Action restart, CancellationToken cancellationToken = default);
}

/// <summary>Gets elements that were asked for.</summary>
/// <param name="list">The index of the list of keys.</param>
/// <param name="element">The element.</param>
public delegate void NftElementVisitor(int list, in NftElement element);

/// <summary>A transaction that <see cref="INftables.Prepare"/> made ready for the kernel. Its operations must not change any more.</summary>
public interface INftPreparedTransaction : IDisposable
{
    /// <inheritdoc cref="INftables.CommitAsync"/>
    /// <param name="expectedGeneration">Takes the place of <see cref="NftTransaction.ExpectedGeneration"/>.</param>
    /// <param name="cancellationToken">Gives up before it is sent; afterwards the outcome is awaited.</param>
    Task<NftCommitResult> CommitAsync(uint? expectedGeneration, CancellationToken cancellationToken = default);
}

/// <summary>Gets the rules of a dump.</summary>
/// <param name="chain">The name of the chain.</param>
/// <param name="rule">The rule.</param>
public delegate void NftRuleVisitor(string chain, NftRuleInKernel rule);

/// <summary>A rule as it stands in the kernel.</summary>
/// <param name="Rule">The rule; its statements hold opaque parts where it has something this library does not know.</param>
/// <param name="Handle">The kernel's number for it, unique in the table.</param>
public sealed record NftRuleInKernel(NftRule Rule, ulong Handle);

/// <summary>A table as it stands in the kernel, without elements.</summary>
public sealed record NftTableContent(NftTable Table, uint Generation)
{
    /// <summary>The chains by name.</summary>
    public required IReadOnlyDictionary<string, NftChain> Chains { get; init; }

    /// <summary>The named sets and maps by name.</summary>
    public required IReadOnlyDictionary<string, NftSet> Sets { get; init; }

    /// <summary>The named objects: counters, quotas, helpers ...</summary>
    public IReadOnlyList<NftObject> Objects { get; init; } = [];

    /// <summary>The flowtables.</summary>
    public IReadOnlyList<NftFlowtable> Flowtables { get; init; } = [];

    /// <summary>The rules by chain, in order. Every chain has an entry.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<NftRuleInKernel>> Rules { get; init; }
}

/// <summary>What a commit cost.</summary>
/// <param name="Generation">The generation that the transaction made.</param>
/// <param name="Messages">Netlink messages sent.</param>
/// <param name="Bytes">Bytes sent.</param>
public readonly record struct NftCommitResult(uint Generation, int Messages, long Bytes);
