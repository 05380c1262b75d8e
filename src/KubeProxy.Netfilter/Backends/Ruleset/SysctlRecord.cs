using System.Globalization;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>A sysctl that a mode sets.</summary>
/// <param name="Path">As in <see cref="KernelSettings"/>, for example <c>proc/sys/net/ipv4/conf/all/route_localnet</c>.</param>
/// <param name="Value">The value.</param>
/// <param name="KernelDefault">What the kernel sets it to in a new network namespace.</param>
public readonly record struct ModeSysctl(string Path, long Value, long KernelDefault);

/// <summary>
/// Which sysctls were what before a mode set them, so that another mode can put them back. The record is kept in the kernel, as a table
/// without rules: it is of the same network namespace, lives as long as the sysctls do, outlives a process that is killed and a container
/// that is thrown away, and everybody can read it with <c>nft list table inet kube-proxy-sysctls</c>.
/// </summary>
/// <param name="nftables">The kernel's rules; not disposed.</param>
/// <param name="settings">The sysctls.</param>
public sealed class SysctlRecord(INftables nftables, KernelSettings settings)
{
    private const string Root = "proc/sys/";
    private const int Attempts = 10;

    /// <summary>The table.</summary>
    public static NftTableKey Table { get; } = new(NftFamily.Inet, "kube-proxy-sysctls");

    /// <summary>
    /// Notes the values of those that are not noted yet, or that somebody else has changed since. To be called before they are set. One that is
    /// as wanted is noted too: it was an administrator's then, and stays so.
    /// </summary>
    /// <param name="wanted">Those that the mode sets.</param>
    /// <param name="isInherited">
    /// Whether a proxy that notes nothing, such as upstream's, was here in the same mode: then those that are as wanted may be its work, and are
    /// not noted.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NftTransactionException">The kernel refused it.</exception>
    /// <exception cref="NftReadException">The kernel refused to tell what there is.</exception>
    public Task NoteAsync(IEnumerable<ModeSysctl> wanted, bool isInherited, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        var found = wanted.Select(sysctl => (Sysctl: sysctl, Value: settings.ReadNumber(sysctl.Path)))
            .Where(pair => pair.Value is { } value && !(isInherited && value == pair.Sysctl.Value)).ToList();
        return NoteAsync(found.ConvertAll(pair => (pair.Sysctl, pair.Value!.Value)), (note, value) => note.Set != value, cancellationToken);
    }

    /// <summary>
    /// Notes that those were the kernel's own that are as a mode sets them, and of which it is not noted what they were. For what a proxy left that
    /// notes nothing, such as upstream's; to be called before what tells of it is removed.
    /// </summary>
    /// <inheritdoc cref="NoteAsync(IEnumerable{ModeSysctl}, bool, CancellationToken)"/>
    /// <param name="left">Those that its mode sets.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task AssumeAsync(IEnumerable<ModeSysctl> left, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(left);
        var found = left.Where(sysctl => sysctl.Value != sysctl.KernelDefault && settings.ReadNumber(sysctl.Path) == sysctl.Value).ToList();
        return NoteAsync(found.ConvertAll(sysctl => (sysctl, sysctl.KernelDefault)), (_, _) => false, cancellationToken);
    }

    /// <summary>Puts those back that were noted, unless somebody else has changed them since, and forgets them.</summary>
    /// <param name="keep">Those of the mode in force.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was put back, one text each.</returns>
    /// <exception cref="IOException">A sysctl cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">A sysctl may not be written.</exception>
    /// <exception cref="NftTransactionException">The kernel refused it.</exception>
    /// <exception cref="NftReadException">The kernel refused to tell what there is.</exception>
    public async Task<IReadOnlyList<string>> RestoreAsync(IEnumerable<ModeSysctl> keep, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keep);
        var kept = keep.Select(sysctl => NameOf(sysctl.Path)).ToHashSet();
        var chains = await nftables.ListChainsAsync(Table, cancellationToken);
        var ended = chains.Where(chain => !kept.Contains(chain.Key.Name)).ToList();
        if (ended.Count == 0) return [];
        List<string> restored = [];
        foreach (var chain in ended)
        {
            var path = PathOf(chain.Key.Name);
            if (Read(chain.Comment) is not { } values || values.Found == values.Set || settings.ReadNumber(path) != values.Set) continue;
            settings.Write(path, values.Found);
            restored.Add(string.Create(CultureInfo.InvariantCulture, $"sysctl {chain.Key.Name}={values.Set} (it is {values.Found} again, as before)"));
        }

        await RetryAsync(transaction =>
        {
            if (ended.Count == chains.Count) transaction.Delete(Table);
            else foreach (var chain in ended) transaction.Delete(chain.Key);
            return Task.CompletedTask;
        }, cancellationToken);
        return restored;
    }

    private async Task NoteAsync(
        List<(ModeSysctl Sysctl, long Value)> values, Func<(long Found, long Set), long, bool> isOutdated, CancellationToken cancellationToken)
    {
        if (values.Count == 0) return;
        await RetryAsync(async transaction =>
        {
            var known = (await nftables.ListChainsAsync(Table, cancellationToken)).ToDictionary(chain => chain.Key.Name, chain => Read(chain.Comment));
            foreach (var (sysctl, value) in values)
            {
                var key = new NftChainKey(Table, NameOf(sysctl.Path));
                var isKnown = known.TryGetValue(key.Name, out var note);
                if (isKnown && (note is null || !isOutdated(note.Value, value))) continue;
                if (isKnown) transaction.Delete(key);
                else if (transaction.IsEmpty) transaction.Add(new NftTable(Table) { Comment = "values before kube-proxy changed them" });
                transaction.Add(new NftChain(key) { Comment = Note(value, sysctl.Value) });
            }
        }, cancellationToken);
    }

    private async Task RetryAsync(Func<NftTransaction, Task> fill, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var transaction = new NftTransaction { ExpectedGeneration = await nftables.GetGenerationAsync(cancellationToken) };
            await fill(transaction);
            if (transaction.IsEmpty) return;
            try
            {
                await nftables.CommitAsync(transaction, cancellationToken);
                return;
            }
            catch (NftTransactionException e) when (e.IsStale && attempt < Attempts)
            {
                // Somebody else was faster: look again.
            }
        }
    }

    // As sysctl(8) writes them, which are names that nft takes.
    private static string NameOf(string path) => path[Root.Length..].Replace('/', '.');

    private static string PathOf(string name) => Root + name.Replace('.', '/');

    private static string Note(long found, long set) => string.Create(CultureInfo.InvariantCulture, $"was {found}, set to {set}");

    private static (long Found, long Set)? Read(string? comment) =>
        comment?.Split(' ') is ["was", [.. var found, ','], "set", "to", var set]
        && long.TryParse(found, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var before)
        && long.TryParse(set, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var after) ? (before, after) : null;
}
