using System.Diagnostics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Iptables;
using KubeProxy.Netfilter.Route;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>
/// The iptables backend of one address family. It writes what <c>iptables-nft</c> would, in the standard tables, with the
/// chains and rules of upstream. See <c>docs/iptables.md</c>.
/// </summary>
public sealed partial class IptablesBackend : IProxyBackend
{
    // From there on upstream does without comments for endpoints.
    private const int LargeCluster = 1000;

    private readonly IptablesBackendOptions _options;
    private readonly IptablesBackendParts _parts;
    private readonly ILogger _logger;
    private readonly NodeSettings _settings;
    private readonly NodePortOpenings _openings;
    private readonly IptablesLayout _layout;
    private readonly IptablesState _state = new();
    private readonly IptablesCompiler _compiler;
    private readonly ServicePorts _servicePorts;
    private readonly StaleFlows _staleFlows;
    private readonly RulesetCommitter _committer;
    private NodeFeatures _features;
    private NodePlan? _node;
    private LocalAddresses? _addresses;
    private volatile bool _addressesChanged;
    private int _endpoints;
    private bool _looked;

    /// <summary>Makes a backend; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the backend.</param>
    /// <param name="logger">Where to say so.</param>
    public IptablesBackend(IptablesBackendOptions options, IptablesBackendParts parts, ILogger<IptablesBackend> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        (_options, _parts, _logger) = (options, parts, logger);
        _settings = new NodeSettings(parts.ProcDirectory);
        _openings = new NodePortOpenings(options.Family, options.LocalhostNodePorts);
        _layout = new IptablesLayout(options.Family, options.Masquerade);
        _compiler = new IptablesCompiler(_state, options.Masquerade);
        _servicePorts = new ServicePorts(_compiler, parts.Time);
        _staleFlows = new StaleFlows(options.Family, _servicePorts, parts.Conntrack, logger);
        var reader = new IptablesReader(parts.Nftables, _state, new OwnedChains(_layout.Firewall), options.Family);
        var ruleset = new IptablesRuleset(_state, reader, new IptablesWrites(_state, options.Family), options.ColdStartTransactionSize);
        _committer = new RulesetCommitter(parts.Nftables, ruleset, parts.ForeignChanges);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <summary>
    /// Checks what the kernel can do and begins to watch. What is there is read in the first sync, beside what should be
    /// there: that needs a fraction of the memory.
    /// </summary>
    /// <inheritdoc/>
    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        _parts.ForeignChanges.Start(requestSync);
        await Guard(async token =>
        {
            await _parts.Nftables.GetGenerationAsync(token);
            _addresses = await LocalAddresses.StartAsync(_parts.Routes, OnAddressesChanged, _parts.Time, token);
            _features = new NodeFeatures(await HasAccountingAsync(token), _settings.IsTcpLiberal);
        }, cancellationToken);
        if (_settings.LegacyTables(Family) is { Count: > 0 } legacy) LogLegacy(_logger, Family, string.Join(", ", legacy), Family == IpFamily.IPv4 ? "iptables-legacy" : "ip6tables-legacy");

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
        // Not while changes are absorbed: they are taken even if this is not allowed.
        if (_openings.OnLocalhost(_node!)) _settings.AllowLocalnetRouting();
        await Guard(async token =>
        {
            if (changes.Verify || _parts.ForeignChanges.TakeTouched() || !_committer.Known) repaired = await LookAsync(token);
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

    private async Task<bool> HasAccountingAsync(CancellationToken cancellationToken) => _parts.Accounting is { } accounting
        && await accounting.EnsureAsync(IptablesLayout.InvalidDropped, cancellationToken)
        && await accounting.EnsureAsync(IptablesLayout.LocalhostAccepted, cancellationToken);

    private void Absorb(PlanChanges changes)
    {
        var newNode = changes.Node is not null && changes.Node != _node;
        _node = changes.Node ?? _node ?? throw new ArgumentException("The first sync needs the node's plan.", nameof(changes));
        if (newNode || changes.Verify || _addressesChanged) CompileBase();
        foreach (var name in changes.Removed)
        {
            Count(name, null);
            _servicePorts.Remove(name);
        }

        foreach (var plan in changes.Updated) Count(plan.Name, plan);
        _compiler.EndpointComments = _endpoints <= LargeCluster;
        foreach (var plan in changes.Updated) _servicePorts.Update(plan);
        if (changes.Verify) _servicePorts.RetryQuarantined();
    }

    private void Count(ServicePortName name, ServicePortPlan? plan) => _endpoints += EndpointsOf(plan) - EndpointsOf(_servicePorts.Find(name));

    private static int EndpointsOf(ServicePortPlan? plan) =>
        plan is null ? 0 : Math.Max(plan.ClusterEndpoints.Length, plan.LocalEndpoints.Length);

    private void CompileBase()
    {
        _addressesChanged = false;
        var localhost = _openings.OnLocalhost(_node!);
        foreach (var chain in IptablesLayout.ForeignChains) _state.Stage(chain, ChainContent.Shared);
        foreach (var chain in IptablesLayout.SharedChains) _state.Stage(chain, ChainContent.Shared);
        foreach (var chain in IptablesLayout.FixedChains) _state.Stage(chain, new ChainContent(_layout.RulesOf(chain, _features)));
        foreach (var jump in IptablesLayout.Jumps) _state.Stage(jump);
        if (localhost) _state.Stage(new SharedRule(new(Netfilter.Iptables.IptablesTable.Filter, ChainNames.Firewall), _layout.Firewall));
        foreach (var rule in _layout.NodePortRules(_openings.Addresses(_node!, _addresses!), localhost))
            _state.Stage(new SharedRule(new(Netfilter.Iptables.IptablesTable.Nat, ChainNames.Services), rule), Placement.Last);
        _state.Commit(RuleOwner.Base);
        CountLocalhost(localhost && _features.Accounting);
    }

    private void CountLocalhost(bool count)
    {
        if (_compiler.CountLocalhostNodePorts == count) return;
        _compiler.CountLocalhostNodePorts = count;
        foreach (var plan in _servicePorts.Plans.ToArray()) _servicePorts.Update(plan);
    }

    private bool AcceptsNodePorts(IpAddr address) => _openings.Accepts(_node!, _addresses!, address);

    private async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        var wanted = _state.ChangeCount;
        await _committer.LookAsync(cancellationToken);
        var isFirst = !_looked;
        _looked = true;
        return isFirst ? 0 : Math.Max(0, _state.ChangeCount - wanted);
    }

    private void Refuse(RuleOwner owner, string reason) => _servicePorts.Quarantine(owner, reason);

    // Everything that the kernel's side can throw reaches the sync loop as one type, with a message for an operator.
    private async Task Guard(Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        try
        {
            await action(cancellationToken);
        }
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException or NftReadException or NetlinkException)
        {
            throw new ProxyBackendException($"iptables ({Family}): {e.Message}", e);
        }
    }

    [LoggerMessage(1, LogLevel.Warning,
        "{Family}: there are tables of iptables-legacy in this network namespace ({Tables}). This proxy writes nf_tables and does not touch them, but "
        + "packets pass both: if another kube-proxy wrote KUBE- chains there, they still take effect. Look with '{Command}-save | grep KUBE-'; "
        + "remove them with that kube-proxy's --cleanup, or restart the node.")]
    private static partial void LogLegacy(ILogger logger, IpFamily family, string tables, string command);
}
