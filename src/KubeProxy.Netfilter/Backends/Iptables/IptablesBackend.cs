using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>
/// The iptables backend of one address family. It writes what <c>iptables-nft</c> would, in the standard tables, with the
/// chains and rules of upstream. See <c>docs/iptables.md</c>.
/// </summary>
public sealed class IptablesBackend : IProxyBackend, IBackendRules
{
    // From there on upstream does without comments for endpoints.
    private const int LargeCluster = 1000;

    // Not 0: connection tracking takes no TCP packet for invalid.
    private const string TcpLiberal = "proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal";

    private readonly IptablesBackendOptions _options;
    private readonly IptablesBackendParts _parts;
    private readonly NodePortOpenings _openings;
    private readonly IptablesLayout _layout;
    private readonly IptablesState _state = new();
    private readonly IptablesCompiler _compiler;
    private readonly IptablesMetrics _metrics;
    private readonly RulesetSync _sync;
    private NodeFeatures _features;
    private bool _hasFailed;
    private bool _allowedLocalnet;
    private int _endpoints;

    /// <summary>Makes a backend; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the backend.</param>
    /// <param name="logger">Where to say so.</param>
    public IptablesBackend(IptablesBackendOptions options, IptablesBackendParts parts, ILogger<IptablesBackend> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        (_options, _parts) = (options, parts);
        _openings = new NodePortOpenings(options.Family, options.LocalhostNodePorts);
        _layout = new IptablesLayout(options.Family, options.Masquerade);
        _metrics = new IptablesMetrics(parts.Meters, options.Family, _state.Tally);
        _compiler = new IptablesCompiler(_state, options.Masquerade);
        var reader = new IptablesReader(parts.Nftables, _state, new OwnedChains(_layout.Firewall), options.Family);
        var ruleset = new IptablesRuleset(_state, reader, new IptablesWrites(_state, options.Family), options.ColdStartTransactionSize);
        _sync = new RulesetSync("iptables", options.Family, parts, _compiler, ruleset, this, logger);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <summary>
    /// Checks what the kernel can do and begins to watch. What is there is read in the first sync, beside what should be
    /// there: that needs a fraction of the memory.
    /// </summary>
    /// <inheritdoc/>
    public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) =>
        _sync.StartAsync(requestSync, CheckKernelAsync, cancellationToken);

    /// <inheritdoc/>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        // Rules name them, and somebody may have deleted them: --cleanup beside this process does.
        if (_hasFailed || changes.Verify) await MakeAccountingAgainAsync(cancellationToken);
        _hasFailed = true;
        var result = await _sync.SyncAsync(changes, cancellationToken);
        _hasFailed = false;
        return result;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _sync.DisposeAsync();
    }

    private async Task CheckKernelAsync(CancellationToken cancellationToken)
    {
        await _parts.Nftables.GetGenerationAsync(cancellationToken);
        _features = new NodeFeatures(await HasAccountingAsync(cancellationToken), _parts.Settings.ReadNumber(TcpLiberal) is not (null or 0));
        if (_features.Accounting && Family == IpFamily.IPv4) _metrics.Observe(_parts.Accounting!);
        LegacyRules.Refuse(Family, _parts.LegacyChains);
    }

    private async Task<bool> HasAccountingAsync(CancellationToken cancellationToken) => _parts.Accounting is { } accounting
        && await accounting.EnsureAsync(IptablesLayout.InvalidDropped, cancellationToken)
        && await accounting.EnsureAsync(IptablesLayout.LocalhostAccepted, cancellationToken);

    private async Task MakeAccountingAgainAsync(CancellationToken cancellationToken)
    {
        if (!_features.Accounting) return;
        try
        {
            await HasAccountingAsync(cancellationToken);
        }
        catch (NetlinkException)
        {
            // If they are missing, the kernel refuses the rules, and says so.
        }
    }

    void IBackendRules.Absorb(PlanChanges changes, bool baseChanged)
    {
        if (baseChanged) CompileBase();
        foreach (var name in changes.Removed)
        {
            Count(name, null);
            _sync.ServicePorts.Remove(name);
        }

        foreach (var plan in changes.Updated) Count(plan.Name, plan);
        _compiler.EndpointComments = _endpoints <= LargeCluster;
        foreach (var plan in changes.Updated) _sync.ServicePorts.Update(plan);
    }

    // Not while changes are absorbed: they are taken even if this is not allowed.
    async ValueTask IBackendRules.PrepareAsync(CancellationToken cancellationToken)
    {
        _state.Tally.Begin();
        if (!_openings.OnLocalhost(_sync.Node)) return;
        // Whoever starts the mode notes what it was; --cleanup beside this process puts it back, and forgets that.
        if (_allowedLocalnet) await new SysctlRecord(_parts.Nftables, _parts.Settings).NoteAsync([LocalnetRouting.Sysctl], isInherited: true, cancellationToken);
        LocalnetRouting.Allow(_parts.Settings);
        _allowedLocalnet = true;
    }

    bool IBackendRules.AcceptsNodePorts(IpAddr address) => _openings.Accepts(_sync.Node, _sync.Addresses, address);

    private void Count(ServicePortName name, ServicePortPlan? plan) => _endpoints += EndpointsOf(plan) - EndpointsOf(_sync.ServicePorts.Find(name));

    private static int EndpointsOf(ServicePortPlan? plan) =>
        plan is null ? 0 : Math.Max(plan.ClusterEndpoints.Length, plan.LocalEndpoints.Length);

    private void CompileBase()
    {
        var localhost = _openings.OnLocalhost(_sync.Node);
        foreach (var chain in IptablesLayout.ForeignChains) _state.Stage(chain, ChainContent.Shared);
        foreach (var chain in IptablesLayout.SharedChains) _state.Stage(chain, ChainContent.Shared);
        foreach (var chain in IptablesLayout.FixedChains) _state.Stage(chain, ChainContent.Of(_layout.RulesOf(chain, _features)));
        foreach (var jump in IptablesLayout.Jumps) _state.Stage(jump);
        if (localhost) _state.Stage(new SharedRule(new(Netfilter.Iptables.IptablesTable.Filter, ChainNames.Firewall), _layout.Firewall));
        foreach (var rule in _layout.NodePortRules(_openings.Addresses(_sync.Node, _sync.Addresses), localhost))
            _state.Stage(new SharedRule(new(Netfilter.Iptables.IptablesTable.Nat, ChainNames.Services), rule), Placement.Last);
        _state.Commit(RuleOwner.Base);
        CountLocalhost(localhost && _features.Accounting);
    }

    private void CountLocalhost(bool count)
    {
        if (_compiler.CountLocalhostNodePorts == count) return;
        _compiler.CountLocalhostNodePorts = count;
        foreach (var plan in _sync.ServicePorts.Plans.ToArray()) _sync.ServicePorts.Update(plan);
    }
}
