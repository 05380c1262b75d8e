using System.Diagnostics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Nftables;
using KubeProxy.Netfilter.Route;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>
/// The nftables backend of one address family. Services are elements of maps shared by all of them, so the number of chains,
/// rules and maps, and the cost of a change, do not depend on the number of services. See <c>docs/nftables.md</c>.
/// </summary>
public sealed partial class NftablesBackend : IProxyBackend
{
    private readonly NftablesBackendOptions _options;
    private readonly NftablesBackendParts _parts;
    private readonly ILogger _logger;
    private readonly BaseLayout _layout;
    private readonly FixedSets _sets;
    private readonly DispatchChains _dispatch;
    private readonly TableState _state;
    private readonly TableReader _reader;
    private readonly RulesetCommitter _committer;
    private readonly ServicePortCompiler _compiler;
    private readonly ServicePorts _servicePorts;
    private readonly StaleFlows _staleFlows;
    private readonly HashSet<(DispatchKind Kind, int Count)> _dispatchInUse = [.. DispatchChains.Common];
    private NodePlan? _node;
    private LocalAddresses? _addresses;
    private volatile bool _addressesChanged;

    /// <summary>Makes a backend; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the backend.</param>
    /// <param name="logger">Where to say so.</param>
    public NftablesBackend(NftablesBackendOptions options, NftablesBackendParts parts, ILogger<NftablesBackend> logger)
    {
        (_options, _parts, _logger) = (options, parts, logger);
        var rules = new RuleParts(options.Family, options.Masquerade);
        _layout = new BaseLayout(rules, options.Masquerade);
        _sets = new FixedSets(rules);
        _dispatch = new DispatchChains(rules);
        _state = new TableState(options.Family, _sets);
        _reader = new TableReader(parts.Nftables, _state, _sets, rules.Table);
        var writer = new TableWriter(_state, _layout.Table);
        var ruleset = new TableRuleset(_state, _reader, writer, _layout.Table, options.ColdStartTransactionSize);
        _committer = new RulesetCommitter(parts.Nftables, ruleset, parts.ForeignChanges);
        _compiler = new ServicePortCompiler(_state, _dispatch, new AffinityCompiler(_state, rules));
        _servicePorts = new ServicePorts(_compiler, parts.Time);
        _staleFlows = new StaleFlows(options.Family, _servicePorts, parts.Conntrack, logger);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <inheritdoc/>
    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        _parts.ForeignChanges.Start(requestSync);
        await Guard(async token =>
        {
            _addresses = await LocalAddresses.StartAsync(_parts.Routes, OnAddressesChanged, _parts.Time, token);
            await LookAsync(token);
        }, cancellationToken);

        void OnAddressesChanged()
        {
            _addressesChanged = true;
            requestSync("the node's addresses changed");
        }
    }

    /// <inheritdoc/>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var compiling = Stopwatch.StartNew();
        _staleFlows.Note(changes);
        Absorb(changes);
        compiling.Stop();

        var committing = Stopwatch.StartNew();
        _committer.Begin();
        var repaired = 0;
        await Guard(async token =>
        {
            if (changes.Verify || _parts.ForeignChanges.TakeTouched() || !_committer.Known) repaired = await RepairAsync(token);
            await _committer.WriteAsync(Refuse, token);
            await _committer.SweepAsync(token);
        }, cancellationToken);
        _servicePorts.Accept();
        committing.Stop();

        return new SyncResult
        {
            Operations = _committer.Operations,
            Repaired = repaired,
            CompileTime = compiling.Elapsed,
            CommitTime = committing.Elapsed,
            DeletedFlows = await _staleFlows.DeleteAsync(AcceptsNodePorts, cancellationToken),
            Quarantined = _servicePorts.Quarantined,
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
        foreach (var name in changes.Removed) _servicePorts.Remove(name);
        foreach (var plan in changes.Updated) _servicePorts.Update(plan);
        if (changes.Verify) Reconsider();
        var newNode = changes.Node is not null && changes.Node != _node;
        _node = changes.Node ?? _node ?? throw new ArgumentException("The first sync needs the node's plan.", nameof(changes));
        if (newNode || changes.Verify || _addressesChanged || !_compiler.UsedDispatch.IsSubsetOf(_dispatchInUse)) CompileBase();
    }

    // The periodic check: what was refused is tried again, and dispatch chains that nobody needs any more go.
    private void Reconsider()
    {
        _compiler.UsedDispatch.Clear();
        foreach (var plan in _servicePorts.Plans.ToArray()) _servicePorts.Update(plan);
        _dispatchInUse.Clear();
        _dispatchInUse.UnionWith(DispatchChains.Common);
    }

    private void CompileBase()
    {
        _addressesChanged = false;
        _dispatchInUse.UnionWith(_compiler.UsedDispatch);
        _compiler.UsedDispatch.Clear();
        foreach (var set in _sets.All) _state.Stage(set);
        foreach (var chain in _layout.Chains(_node!)) _state.Stage(chain);
        foreach (var (kind, count) in _dispatchInUse.Order())
            foreach (var chain in _dispatch.Define(kind, count)) _state.Stage(chain);
        foreach (var address in NodePortAddresses()) _state.NodePortIps.Stage(address, default);
        _state.Commit(RuleOwner.Base);
    }

    private IEnumerable<IpAddr> NodePortAddresses() => _node!.NodePortAddresses.IsEmpty ? [] : _addresses!.Current.Where(AcceptsNodePorts);

    private bool AcceptsNodePorts(IpAddr address) => address.Family == Family && !IsLoopback(address)
        && _addresses!.Contains(address)
        && (_node!.NodePortAddresses.IsEmpty || _node.NodePortAddresses.Any(cidr => cidr.Contains(address)));

    private static bool IsLoopback(IpAddr address) =>
        address.Family == IpFamily.IPv4 ? address.Value >> 24 == 127 : address.Value == UInt128.One;

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _committer.LookAsync(cancellationToken);
        }
        catch (TableOwnedException e)
        {
            // No reason to take the other family down as well: each sync looks again, and fails with this until the table is free.
            LogOwned(_logger, Family, e.Message);
            return;
        }

        foreach (var chain in _reader.FoundChains)
            if (DispatchChains.TryParse(chain, out var kind, out var count)) _dispatchInUse.Add((kind, count));
    }

    private async Task<int> RepairAsync(CancellationToken cancellationToken)
    {
        var wanted = _state.ChangeCount;
        await _committer.LookAsync(cancellationToken);
        return Math.Max(0, _state.ChangeCount - wanted);
    }

    private void Refuse(RuleOwner owner, string reason)
    {
        _servicePorts.Quarantine(owner, reason);
        CompileBase();
    }

    // Everything that the kernel's side can throw reaches the sync loop as one type, with a message for an operator.
    private async Task Guard(Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        try
        {
            await action(cancellationToken);
        }
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException or NftReadException or NetlinkException)
        {
            throw new ProxyBackendException($"nftables ({Family}): {e.Message}", e);
        }
    }

    [LoggerMessage(2, LogLevel.Error, "{Family}: {Reason}")]
    private static partial void LogOwned(ILogger logger, IpFamily family, string reason);
}
