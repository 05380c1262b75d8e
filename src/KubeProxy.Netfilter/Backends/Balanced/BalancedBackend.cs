using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Balanced;

/// <summary>
/// A backend whose connections are balanced by something else in the kernel (<see cref="IBalancer"/>). It writes the rules for
/// everything else: masquerading, what is refused, source ranges, and traffic that the policies keep away from the balancer.
/// </summary>
public sealed partial class BalancedBackend : IProxyBackend, IBackendRules
{
    private readonly BalancedBackendOptions _options;
    private readonly IBalancer _balancer;
    private readonly BalancedLayout _layout;
    private readonly BalancedMaps _maps;
    private readonly Balancing _balancing;
    private readonly ListSizes _sizes;
    private readonly TableReader _reader;
    private readonly BalancedCompiler _compiler;
    private readonly RulesetSync _sync;
    private readonly AffinityCompiler _affinity;
    private readonly AffinityLayout _affinityLayout;
    private readonly AffinitySweep _affinitySweep;
    private readonly ForwardAccepts _forwardAccepts;
    private readonly IForeignChanges _forwardChanges;
    private readonly ILogger _logger;
    private bool _hasForwardAccepts;
    private string? _forwardRefusal;
    private int _operations;
    private int _repaired;
    private int _pending;

    /// <summary>Makes a backend; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the backend.</param>
    /// <param name="balancer">Balances; disposed with the backend.</param>
    /// <param name="logger">Where to say so.</param>
    public BalancedBackend(BalancedBackendOptions options, NftablesBackendParts parts, IBalancer balancer, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(balancer);
        (_options, _balancer, _logger, _forwardChanges) = (options, balancer, logger, parts.ForwardChanges);
        var rules = new RuleParts(options.Family, options.Masquerade);
        _layout = new BalancedLayout(rules, options.Masquerade);
        _maps = new BalancedMaps(rules, new FixedSets(rules));
        _balancing = new Balancing(rules);
        _sizes = new ListSizes(_maps);
        _reader = new TableReader(parts.Nftables, _maps, _layout.Table);
        _affinity = new AffinityCompiler(options.Family, _maps);
        _affinityLayout = new AffinityLayout(rules);
        _compiler = new BalancedCompiler(_maps, _affinity, balancer);
        ServiceMaps.AffinityMaps[] affinityMaps = [_maps.AllAffinity];
        var carryOver = new AffinityCarryOver(parts.Nftables, options.Family, _reader, _maps, _affinity, affinityMaps, () => _sync!.ServicePorts.Plans);
        var ruleset = new TableRuleset(_maps, _reader, new TableWriter(_maps, _layout.Table), _layout.Table, options.ColdStartTransactionSize, carryOver);
        _forwardAccepts = new ForwardAccepts(parts.Nftables, options.Family, options.Masquerade.Mark);
        _sync = new RulesetSync(options.Mode, options.Family, parts, _compiler, ruleset, this, logger);
        _affinitySweep = new AffinitySweep(parts.Nftables, options.Family, affinityMaps, _sync.TryWriteBesideAsync, parts.Time);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <inheritdoc/>
    public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => _sync.StartAsync(requestSync, async token =>
    {
        _forwardChanges.Start(requestSync);
        await _balancer.StartAsync(requestSync, token);
        if (!await _sync.TryLookAsync(token)) return;
        _sizes.Adopt(_reader.FoundChains);
        _affinity.Adopt();
    }, cancellationToken);

    /// <inheritdoc/>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        (_operations, _repaired, _pending) = (0, 0, 0);
        var result = await _sync.SyncAsync(changes, cancellationToken);
        return result with { Operations = result.Operations + _operations, Repaired = result.Repaired + _repaired, Pending = _pending };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _sync.DisposeAsync();
        await _balancer.DisposeAsync();
    }

    string IBackendRules.OwnInterface => _balancer.Interface;

    void IBackendRules.Absorb(PlanChanges changes, bool baseChanged)
    {
        var moved = TakeAddresses();
        foreach (var name in changes.Removed) _sync.ServicePorts.Remove(name);
        foreach (var plan in changes.Updated) _sync.ServicePorts.Update(plan);
        if (moved is not null)
        {
            foreach (var plan in _sync.ServicePorts.Plans.Where(moved).ToArray()) _sync.ServicePorts.Update(plan);
        }

        if (_sizes.Update(shrink: changes.Verify) | _affinity.Timeouts.Update(shrink: changes.Verify) || baseChanged) CompileBase();
    }

    async ValueTask<bool> IBackendRules.CompleteAsync(bool verify, CancellationToken cancellationToken)
    {
        await _affinitySweep.SweepAsync(_affinity.TakeLeft(), verify, cancellationToken);
        await EnsureForwardAcceptsAsync(verify, cancellationToken);
        // What it compared with the kernel once it need not compare again because rules are written again.
        var result = await _balancer.SyncAsync(verify, cancellationToken);
        _operations += result.Operations;
        _repaired += result.Repaired;
        _pending = result.Pending;
        foreach (var (owner, reason) in result.Refused) _sync.ServicePorts.Quarantine(owner, reason);
        return result.Refused.Count == 0;
    }

    bool IBackendRules.AcceptsNodePorts(IpAddr address) => _compiler.Node.ForNodePorts.BinarySearch(address) >= 0;

    // Returns which of the plans depend on addresses that came or went; null if none did.
    private Func<ServicePortPlan, bool>? TakeAddresses()
    {
        var before = _compiler.Node;
        var all = _sync.Addresses.Current;
        // Each costs an entry for every node port, and every pod's interface has an address of its link.
        ImmutableArray<IpAddr> open = [.. all.Where(address => address is { IsLoopback: false, IsLinkLocal: false } && _sync.Node.OpensNodePortsOn(address)).Order()];
        var hasMoved = !ReferenceEquals(before.All, all) && !before.All.SetEquals(all);
        var isOpenedAnew = !before.ForNodePorts.SequenceEqual(open);
        if (!hasMoved && !isOpenedAnew) return null;
        _compiler.Node = new NodeAddresses(all, open);
        var moved = before.All.SymmetricExcept(all);
        return plan => plan.Frontends.Any(frontend => frontend.Key.Address is { } address ? moved.Contains(address) : isOpenedAnew);
    }

    bool IBackendRules.DoWithout(IReadOnlyCollection<string> refused, string reason)
    {
        if (!_sizes.GiveUp(refused, owner => _sync.ServicePorts.Quarantine(owner, reason))) return false;
        CompileBase();
        return true;
    }

    // A node whose kernel lacks what iptables needs has no firewall made by it either: services must not fail for that.
    private async Task EnsureForwardAcceptsAsync(bool verify, CancellationToken cancellationToken)
    {
        var isTouched = _forwardChanges.TakeTouched();
        if (!verify && !isTouched && _hasForwardAccepts) return;
        try
        {
            var count = await _forwardAccepts.EnsureAsync(cancellationToken) ? 1 : 0;
            _operations += count;
            if (_hasForwardAccepts) _repaired += count;
            (_hasForwardAccepts, _forwardRefusal) = (true, null);
        }
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException or NftReadException)
        {
            if (_forwardRefusal != e.Message) LogNotAccepted(_logger, _options.Mode, _options.Family, e.Message);
            (_hasForwardAccepts, _forwardRefusal) = (false, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Mode} ({Family}): packets of services cannot be accepted in chain FORWARD of iptables' table filter; where its policy is DROP, "
        + "or a rule of the host drops them, services with endpoints on other interfaces do not work: {Reason}")]
    private static partial void LogNotAccepted(ILogger logger, string mode, IpFamily family, string reason);

    private void CompileBase()
    {
        foreach (var set in _maps.All(_sizes.All)) _maps.Stage(set);
        foreach (var chain in _layout.Chains(_sync.Node with { NodePortAddresses = Everywhere })) _maps.Stage(chain);
        foreach (var chain in _balancing.Chains(_sizes.All, BalancedMaps.ListKinds)) _maps.Stage(chain);
        foreach (var timeout in _affinity.Timeouts.All) _maps.Stage(_maps.AffinityTimeout(timeout).Set);
        foreach (var chain in _affinityLayout.Chains(_affinity.Timeouts.All, BalancedMaps.ListKinds)) _maps.Stage(chain);
        foreach (var address in _compiler.Node.ForNodePorts) _maps.NodePortIps.Stage(address, default);
        _maps.Commit(RuleOwner.Base);
    }

    // Not "local addresses", because virtual ones are local too: those in the set.
    private ImmutableArray<Cidr> Everywhere => [Cidr.Parse(Family == IpFamily.IPv4 ? "0.0.0.0/0" : "::/0")];
}
