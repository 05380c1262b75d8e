using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// The nftables backend of one address family. Services are elements of maps shared by all of them, so the number of chains,
/// rules and maps, and the cost of a change, do not depend on the number of services. See <c>docs/nftables.md</c>.
/// </summary>
public sealed class NftablesBackend : IProxyBackend, IBackendRules
{
    private readonly NftablesBackendOptions _options;
    private readonly BaseLayout _layout;
    private readonly FixedSets _sets;
    private readonly Balancing _balancing;
    private readonly ServiceMaps _state;
    private readonly TableReader _reader;
    private readonly RulesetSync _sync;
    private readonly ListSizes _sizes;
    private readonly AffinityCompiler _affinity;
    private readonly AffinityLayout _affinityLayout;
    private readonly AffinitySweep _affinitySweep;
    private readonly INftables? _beside;
    private readonly LocalhostMetrics? _localhostMetrics;
    private readonly LocalhostNodePorts? _localhost;
    private StraySearch? _strays;
    private long _written;

    /// <summary>Makes a backend; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the backend.</param>
    /// <param name="logger">Where to say so.</param>
    public NftablesBackend(NftablesBackendOptions options, NftablesBackendParts parts, ILogger<NftablesBackend> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        (_options, _beside) = (options, parts.Beside);
        var rules = new RuleParts(options.Family, options.Masquerade);
        _layout = new BaseLayout(rules, options.Masquerade, options.LocalhostNodePorts ? new LocalhostRejects(rules) : null);
        _sets = new FixedSets(rules, options.LocalhostNodePorts);
        _balancing = new Balancing(rules);
        _state = new ServiceMaps(options.Family, _sets);
        _sizes = new ListSizes(_state);
        _reader = new TableReader(parts.Nftables, _state, _layout.Table, options.LargeMap, parts.Beside);
        _affinity = new AffinityCompiler(options.Family, _state);
        _affinityLayout = new AffinityLayout(rules);
        ServiceMaps.AffinityMaps[] affinityMaps = [_state.AllAffinity, _state.LocalAffinity];
        var carryOver = new AffinityCarryOver(parts.Nftables, options.Family, _reader, _state, _affinity, affinityMaps, () => _sync!.ServicePorts.Plans);
        var ruleset = new TableRuleset(_state, _reader, new TableWriter(_state, _layout.Table), _layout.Table, options.ColdStartTransactionSize, carryOver);
        _sync = new RulesetSync("nftables", options.Family, parts, new ServicePortCompiler(_state, _affinity), ruleset, this, logger);
        _affinitySweep = new AffinitySweep(parts.Nftables, options.Family, affinityMaps, _sync.TryWriteBesideAsync, parts.Time);
        if (!options.LocalhostNodePorts) return;
        _localhostMetrics = new LocalhostMetrics(parts.Meters, options.Family, parts.Nftables, () => parts.Localhost?.ListenerCount ?? 0);
        if (parts.Localhost is { } relay) _localhost = new LocalhostNodePorts(relay, _localhostMetrics, parts.Time, logger);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <inheritdoc/>
    public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        _localhost?.Start(requestSync);
        if (_beside is not null) _strays ??= new StraySearch(_beside, requestSync);
        return _sync.StartAsync(requestSync, LookAsync, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        var result = await _sync.SyncAsync(changes, cancellationToken);
        _written += result.Operations;
        _strays?.Begin(_reader.TakeReadByKey(), _written);
        if (_localhost is not null) await _localhost.ApplyAsync(_sync.Node.NamesLocalhost, cancellationToken);
        return result;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_strays is not null) await _strays.DisposeAsync();
        else if (_beside is not null) await _beside.DisposeAsync();
        _localhost?.Dispose();
        _localhostMetrics?.Dispose();
        await _sync.DisposeAsync();
    }

    bool IBackendRules.TakeStrays() => _strays?.TakeStrays(_written) ?? false;

    void IBackendRules.Absorb(PlanChanges changes, bool baseChanged)
    {
        _localhost?.Absorb(changes);
        foreach (var name in changes.Removed) _sync.ServicePorts.Remove(name);
        foreach (var plan in changes.Updated) _sync.ServicePorts.Update(plan);
        if (_sizes.Update(shrink: changes.Verify) | _affinity.Timeouts.Update(shrink: changes.Verify) || baseChanged) CompileBase();
    }

    async ValueTask<bool> IBackendRules.CompleteAsync(bool verify, CancellationToken cancellationToken)
    {
        await _affinitySweep.SweepAsync(_affinity.TakeLeft(), verify, cancellationToken);
        return true;
    }

    bool IBackendRules.DoWithout(IReadOnlyCollection<string> refused, string reason)
    {
        if (!_sizes.GiveUp(refused, owner => _sync.ServicePorts.Quarantine(owner, reason))) return false;
        CompileBase();
        return true;
    }

    private void CompileBase()
    {
        foreach (var set in _sets.All(_sizes.All, EndpointLists.All)) _state.Stage(set);
        foreach (var chain in _layout.Chains(_sync.Node)) _state.Stage(chain);
        foreach (var chain in _balancing.Chains(_sizes.All, EndpointLists.All)) _state.Stage(chain);
        foreach (var timeout in _affinity.Timeouts.All) _state.Stage(_state.AffinityTimeout(timeout).Set);
        foreach (var chain in _affinityLayout.Chains(_affinity.Timeouts.All, EndpointLists.All)) _state.Stage(chain);
        foreach (var address in NodePortAddresses()) _state.NodePortIps.Stage(address, default);
        _state.Commit(RuleOwner.Base);
    }

    private IEnumerable<IpAddr> NodePortAddresses() =>
        _sync.Node.NodePortAddresses.IsEmpty ? [] : _sync.Addresses.Current.Where(((IBackendRules)this).AcceptsNodePorts);

    bool IBackendRules.AcceptsNodePorts(IpAddr address) =>
        !address.IsLoopback && _sync.Node.OpensNodePortsOn(address) && _sync.Addresses.Contains(address);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (!await _sync.TryLookAsync(cancellationToken)) return;
        _sizes.Adopt(_reader.FoundChains);
        _affinity.Adopt();
    }
}
