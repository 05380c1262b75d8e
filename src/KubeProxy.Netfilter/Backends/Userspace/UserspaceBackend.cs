using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>
/// The userspace backend of one address family: connections to frontends are given to a relay in this process, which
/// connects to the endpoints. Its table goes with the process, and so do the connections. See <c>docs/userspace.md</c>.
/// </summary>
public sealed partial class UserspaceBackend : IProxyBackend, IBackendRules
{
    private readonly UserspaceBackendOptions _options;
    private readonly UserspaceBackendParts _parts;
    private readonly ILogger _logger;
    private readonly RelayLayout _layout;
    private readonly RelayMaps _maps;
    private readonly LocalRouting _routing;
    private readonly RulesetSync _sync;
    private bool _wroteAny;

    /// <summary>Makes a backend; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the backend.</param>
    /// <param name="logger">Where to say so.</param>
    public UserspaceBackend(UserspaceBackendOptions options, UserspaceBackendParts parts, ILogger<UserspaceBackend> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        (_options, _parts, _logger) = (options, parts, logger);
        var rules = new RuleParts(options.Family, options.Masquerade);
        _layout = new RelayLayout(rules, options.Masquerade, parts.Ports);
        _maps = new RelayMaps(rules);
        _routing = new LocalRouting(parts.Routes, options.Family);
        var reader = new TableReader(parts.Nftables, _maps, _layout.Table);
        if (parts.OwnsTable) reader.NoteFound();
        var ruleset = new TableRuleset(_maps, reader, new TableWriter(_maps, _layout.Table), _layout.Table, options.ColdStartTransactionSize);
        _sync = new RulesetSync("userspace", options.Family, parts, new RelayCompiler(_maps, parts.Table), ruleset, this, logger);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <summary>Where its relay listens.</summary>
    internal RelayPorts Ports => _parts.Ports;

    /// <summary>They do: nothing is translated.</summary>
    bool IBackendRules.SeesEveryPacket => true;

    /// <inheritdoc/>
    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        // Both subscribe in the network namespace of the calling thread.
        var watching = Guard(() =>
        {
            _routing.Watch(requestSync);
            return Task.CompletedTask;
        });
        var starting = _sync.StartAsync(requestSync, _ => Task.CompletedTask, cancellationToken);
        await watching;
        await starting;
    }

    /// <inheritdoc/>
    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        if (changes.Verify || _routing.IsInDoubt) await Guard(() => _routing.EnsureAsync(_options.Masquerade.Mark, cancellationToken));
        var result = await _sync.SyncAsync(changes, cancellationToken);
        _wroteAny = true;
        _parts.Table.Prune();
        return result;
    }

    /// <summary>Removes the table first, so that nothing leads to the relay any more, and then ends the relay.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_wroteAny)
            {
                await _parts.Nftables.CommitAsync(new NftTransaction().Delete(_layout.Table.Key));
                await _routing.RemoveAsync(CancellationToken.None);
            }
        }
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException or NftReadException or NetlinkException)
        {
            // The kernel removes the table when the connection is closed; the rest has no effect without it.
            LogNotRemoved(_logger, Family, e.Message);
        }

        await _routing.DisposeAsync();
        await _sync.DisposeAsync();
    }

    private async Task Guard(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (NetlinkException e)
        {
            throw new ProxyBackendException($"userspace ({Family}): {e.Message}", e);
        }
    }

    void IBackendRules.Absorb(PlanChanges changes, bool baseChanged)
    {
        if (baseChanged) CompileBase();
        foreach (var name in changes.Removed) _sync.ServicePorts.Remove(name);
        foreach (var plan in changes.Updated) _sync.ServicePorts.Update(plan);
    }

    bool IBackendRules.AcceptsNodePorts(IpAddr address) => AcceptsNodePorts(address);

    private void CompileBase()
    {
        foreach (var collection in _maps.Elements) _maps.Stage(collection.Set);
        foreach (var chain in _layout.Chains(_sync.Node)) _maps.Stage(chain);
        if (!_sync.Node.NodePortAddresses.IsEmpty)
            foreach (var address in _sync.Addresses.Current.Where(AcceptsNodePorts)) _maps.NodePortIps.Stage(address, default);
        _maps.Commit(RuleOwner.Base);
    }

    // Loopback addresses too, where they are asked for: a relay needs no routing of them.
    private bool AcceptsNodePorts(IpAddr address) => _sync.Node.OpensNodePortsOn(address) && _sync.Addresses.Contains(address);

    [LoggerMessage(1, LogLevel.Warning, "{Family}: rules were not removed: {Reason}")]
    private static partial void LogNotRemoved(ILogger logger, IpFamily family, string reason);
}
