using System.Diagnostics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// The course of a sync, which is the same for all backends that write nf_tables: take the changes, look at the kernel if someone
/// else may have touched it, write, sweep, delete stale flows.
/// </summary>
internal sealed partial class RulesetSync : IAsyncDisposable
{
    private readonly string _mode;
    private readonly IpFamily _family;
    private readonly NetfilterParts _parts;
    private readonly IRuleset _ruleset;
    private readonly IBackendRules _rules;
    private readonly RulesetCommitter _committer;
    private readonly StaleFlows _staleFlows;
    private readonly ILogger _logger;
    private NodePlan? _node;
    private LocalAddresses? _addresses;
    private volatile bool _addressesChanged;
    private bool _looked;

    /// <summary>Makes it; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="mode">The name of the backend in messages.</param>
    /// <param name="family">The family.</param>
    /// <param name="parts">What to reach the kernel with; disposed with this.</param>
    /// <param name="compiler">Turns plans into desired objects of the ruleset.</param>
    /// <param name="ruleset">What is to be brought into the kernel.</param>
    /// <param name="rules">What this backend does differently.</param>
    /// <param name="logger">Where to say what happens.</param>
    public RulesetSync(
        string mode, IpFamily family, NetfilterParts parts, IServicePortCompiler compiler, IRuleset ruleset, IBackendRules rules, ILogger logger)
    {
        (_mode, _family, _parts, _ruleset, _rules, _logger) = (mode, family, parts, ruleset, rules, logger);
        _committer = new RulesetCommitter(parts.Nftables, ruleset, parts.ForeignChanges);
        ServicePorts = new ServicePorts(compiler, parts.Time);
        _staleFlows = new StaleFlows(family, ServicePorts, rules, parts.Conntrack, logger);
    }

    /// <summary>The service ports that are wanted.</summary>
    public ServicePorts ServicePorts { get; }

    /// <summary>The node's plan in force.</summary>
    public NodePlan Node => _node ?? throw new InvalidOperationException("There was no sync yet.");

    /// <summary>The node's own addresses.</summary>
    public LocalAddresses Addresses => _addresses ?? throw new InvalidOperationException("The backend was not started.");

    /// <summary>Begins to watch the kernel, and then does what else the backend has to do at its start.</summary>
    public async Task StartAsync(Action<string> requestSync, Func<CancellationToken, Task> begin, CancellationToken cancellationToken)
    {
        _parts.ForeignChanges.Start(requestSync);
        await Guard(async token =>
        {
            _addresses = await LocalAddresses.StartAsync(_parts.Routes, OnAddressesChanged, _rules.OwnInterface, _parts.Time, token);
            await begin(token);
        }, cancellationToken);

        void OnAddressesChanged()
        {
            _addressesChanged = true;
            requestSync("the node's addresses changed");
        }
    }

    /// <summary>Reads what is there and takes it over.</summary>
    /// <inheritdoc cref="IRuleset.ReadAsync" path="/param"/>
    /// <returns>How many objects, of those believed to be right, were not.</returns>
    public async Task<int> LookAsync(bool thorough, CancellationToken cancellationToken)
    {
        var wanted = _ruleset.ChangeCount;
        await _committer.LookAsync(thorough, cancellationToken);
        var isFirst = !_looked;
        _looked = true;
        return isFirst ? 0 : Math.Max(0, _ruleset.ChangeCount - wanted);
    }

    /// <summary>
    /// Looks before the first sync. A table that somebody else owns is no reason to take the other family down as well: each sync
    /// looks again, and fails with that until the table is free.
    /// </summary>
    /// <returns>Whether it could be seen.</returns>
    public async Task<bool> TryLookAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookAsync(thorough: false, cancellationToken);
            return true;
        }
        catch (TableOwnedException e)
        {
            LogOwned(_logger, _family, e.Message);
            return false;
        }
    }

    /// <inheritdoc cref="RulesetCommitter.TryWriteBesideAsync"/>
    public Task<bool> TryWriteBesideAsync(List<PendingWrite> writes, CancellationToken cancellationToken) => _committer.TryWriteBesideAsync(writes, cancellationToken);

    /// <summary>See <see cref="IProxyBackend.SyncAsync"/>.</summary>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var compiling = Stopwatch.StartNew();
        Absorb(changes);
        compiling.Stop();

        var committing = Stopwatch.StartNew();
        var repaired = 0;
        _committer.Begin();
        await Guard(async token =>
        {
            await _rules.PrepareAsync(token);
            var thorough = !_committer.Known | _rules.TakeStrays();
            if (thorough | changes.Verify | _parts.ForeignChanges.TakeTouched()) repaired = await LookAsync(thorough, token);
            do
            {
                await _committer.WriteAsync(ServicePorts.Quarantine, _rules.DoWithout, token);
                await _committer.SweepAsync(token);
            }
            while (!await _rules.CompleteAsync(changes.Verify, token));
        }, cancellationToken);
        ServicePorts.Accept();
        committing.Stop();

        return new SyncResult
        {
            Operations = _committer.Operations,
            Repaired = repaired,
            CompileTime = compiling.Elapsed,
            CommitTime = committing.Elapsed,
            DeletedFlows = await _staleFlows.DeleteAsync(cancellationToken),
            Quarantined = ServicePorts.Quarantined,
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_addresses is not null) await _addresses.DisposeAsync();
        await _parts.DisposeAsync();
    }

    private void Absorb(PlanChanges changes)
    {
        _staleFlows.Note(changes);
        var baseChanged = changes.Verify || _addressesChanged || (changes.Node is not null && changes.Node != _node);
        _addressesChanged = false;
        _node = changes.Node ?? _node ?? throw new ArgumentException("The first sync needs the node's plan.", nameof(changes));
        ServicePorts.Expect(changes.Updated.Count);
        if (changes.Verify) ServicePorts.RetryQuarantined(); // Before the shared rules are compiled, which they may need.
        _rules.Absorb(changes, baseChanged);
    }

    [LoggerMessage(2, LogLevel.Error, "{Family}: {Reason}")]
    private static partial void LogOwned(ILogger logger, IpFamily family, string reason);

    // Everything that the kernel's side can throw reaches the sync loop as one type, with a message for an operator.
    private async Task Guard(Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        try
        {
            await action(cancellationToken);
        }
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException or NftReadException or NetlinkException)
        {
            throw new ProxyBackendException($"{_mode} ({_family}): {e.Message}", e);
        }
    }
}
