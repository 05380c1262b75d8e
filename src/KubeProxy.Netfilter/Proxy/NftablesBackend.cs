using System.Diagnostics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Nftables;
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
    private readonly TableCommitter _committer;
    private readonly ServicePortCompiler _compiler;
    private readonly ServicePorts _servicePorts;
    private readonly HashSet<(DispatchKind Kind, int Count)> _dispatchInUse = [.. DispatchChains.Common];
    private NodePlan? _node;
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
        _committer = new TableCommitter(
            parts.Nftables, _state, _reader, new TableWriter(_state, _layout.Table), _layout.Table, parts.ForeignChanges,
            options.ColdStartTransactionSize);
        _compiler = new ServicePortCompiler(_state, _dispatch, new AffinityCompiler(_state, rules));
        _servicePorts = new ServicePorts(_state, _compiler, parts.Time);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <inheritdoc/>
    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        _parts.ForeignChanges.Start(requestSync);
        _parts.Addresses.Start(() =>
        {
            _addressesChanged = true;
            requestSync("the node's addresses changed");
        });
        await Guard(LookAsync, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var compiling = Stopwatch.StartNew();
        var frontendsBefore = Absorbing(changes);
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
            DeletedFlows = await _parts.Flows.CleanAsync(frontendsBefore, changes.Updated, cancellationToken),
            Quarantined = _servicePorts.Quarantined,
        };
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    private List<ServicePortPlan> Absorbing(PlanChanges changes)
    {
        var before = new List<ServicePortPlan>();
        foreach (var plan in changes.Updated)
            if (plan.Name.Protocol == Protocol.Udp && _servicePorts.Find(plan.Name) is { } old) before.Add(old);
        foreach (var name in changes.Removed)
            if (name.Protocol == Protocol.Udp && _servicePorts.Find(name) is { } old) before.Add(old);
        return before;
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

    private IEnumerable<IpAddr> NodePortAddresses() => _parts.Addresses.Current
        .Where(address => address.Family == Family && !IsLoopback(address))
        .Where(address => _node!.NodePortAddresses.Any(cidr => cidr.Contains(address)));

    private static bool IsLoopback(IpAddr address) =>
        address.Family == IpFamily.IPv4 ? address.Value >> 24 == 127 : address.Value == UInt128.One;

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await _committer.LookAsync(cancellationToken);
        foreach (var chain in _reader.FoundChains)
            if (DispatchChains.TryParse(chain, out var kind, out var count)) _dispatchInUse.Add((kind, count));
    }

    private async Task<int> RepairAsync(CancellationToken cancellationToken)
    {
        var wanted = _state.ChangeCount;
        await _committer.LookAsync(cancellationToken);
        var found = Math.Max(0, _state.ChangeCount - wanted);
        if (found > 0) LogRepair(_logger, Family, found);
        return found;
    }

    private void Refuse(RuleOwner owner, string reason)
    {
        LogRefused(_logger, owner.Text, reason);
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
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException or Netlink.NetlinkException)
        {
            throw new ProxyBackendException($"nftables ({Family}): {e.Message}", e);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Family}: {Count} nftables objects were changed by somebody else and are repaired.")]
    private static partial void LogRepair(ILogger logger, IpFamily family, int count);

    [LoggerMessage(2, LogLevel.Error, "The kernel refuses {ServicePort}, the others are not affected: {Reason}")]
    private static partial void LogRefused(ILogger logger, string servicePort, string reason);
}
