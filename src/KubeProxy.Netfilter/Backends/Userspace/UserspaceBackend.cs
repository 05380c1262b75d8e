using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Relay;
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
    private readonly BridgeFiltering _bridgeFiltering;
    private readonly UntranslatedFlows _untranslated;
    private readonly RulesetSync _sync;
    private bool _wroteAny;
    private BridgeTranslation _translation;
    private bool _hasUntranslated;
    private bool _canTranslate = true;

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
        _bridgeFiltering = new BridgeFiltering(parts.Kernel, options.Family, parts.Time);
        _untranslated = new UntranslatedFlows(parts.Conntrack, options.Family, parts.Table);
        var reader = new TableReader(parts.Nftables, _maps, _layout.Table);
        if (parts.OwnsTable) reader.NoteFound();
        var ruleset = new TableRuleset(_maps, reader, new TableWriter(_maps, _layout.Table), _layout.Table, options.ColdStartTransactionSize);
        _sync = new RulesetSync("userspace", options.Family, parts, new RelayCompiler(_maps, parts.Table), ruleset, this, logger);
    }

    /// <inheritdoc/>
    public IpFamily Family => _options.Family;

    /// <summary>Where its relay listens.</summary>
    internal Func<RelayInlet, ushort> Ports => _parts.Ports;

    /// <summary>Where it sees what packets on bridges do.</summary>
    internal KernelSettings Kernel => _parts.Kernel;

    /// <summary>They do: nothing is translated that its first packet could have gone past.</summary>
    bool IBackendRules.SeesEveryPacket => true;

    bool IBackendRules.IsOwn(IpEndpoint endpoint) =>
        RelayInlet.All.Any(inlet => inlet.Translated && _parts.Ports(inlet) == endpoint.Port) && _sync.Addresses.Contains(endpoint.Address);

    /// <inheritdoc/>
    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        // Both subscribe in the network namespace of the calling thread.
        var watching = Guard(() =>
        {
            _bridgeFiltering.Watch(requestSync);
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
        await DeleteUntranslatedAsync(cancellationToken);
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

        _bridgeFiltering.Dispose();
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
        if (baseChanged || WantedTranslation != _translation) CompileBase();
        foreach (var name in changes.Removed) _sync.ServicePorts.Remove(name);
        foreach (var plan in changes.Updated) _sync.ServicePorts.Update(plan);
    }

    bool IBackendRules.DoWithout(IReadOnlyCollection<string> refused, string reason)
    {
        if (_translation == BridgeTranslation.Never || !refused.Contains(RelayLayout.Bridged)) return false;
        _canTranslate = false;
        LogCannotTranslate(_logger, Family, reason);
        CompileBase();
        return true;
    }

    bool IBackendRules.AcceptsNodePorts(IpAddr address) => AcceptsNodePorts(address);

    private void CompileBase()
    {
        NoteBridges(WantedTranslation);
        foreach (var collection in _maps.Elements) _maps.Stage(collection.Set);
        foreach (var chain in _layout.Chains(_sync.Node, _translation)) _maps.Stage(chain);
        if (!_sync.Node.NodePortAddresses.IsEmpty)
            foreach (var address in _sync.Addresses.Current.Where(AcceptsNodePorts)) _maps.NodePortIps.Stage(address, default);
        _maps.Commit(RuleOwner.Base);
    }

    private BridgeTranslation WantedTranslation => _canTranslate && _bridgeFiltering.IsOn ? BridgeTranslation.Now
        : !_canTranslate || _translation == BridgeTranslation.Never ? BridgeTranslation.Never
        : BridgeTranslation.Before;

    private void NoteBridges(BridgeTranslation wanted)
    {
        if (wanted == _translation) return;
        _translation = wanted;
        _hasUntranslated = wanted == BridgeTranslation.Now;
        LogBridges(_logger, Family, _hasUntranslated ? "are translated to this process, since packets on bridges pass the rules of iptables" : "come here untranslated");
    }

    private async Task DeleteUntranslatedAsync(CancellationToken cancellationToken)
    {
        if (!_hasUntranslated) return;
        try
        {
            await _untranslated.DeleteAsync(_sync.Addresses.Contains, cancellationToken);
            _hasUntranslated = false;
        }
        catch (NetlinkException e)
        {
            LogUntranslated(_logger, Family, e.Message); // The rules are in force; the next sync tries again.
        }
    }

    // Loopback addresses too, where they are asked for: a relay needs no routing of them.
    private bool AcceptsNodePorts(IpAddr address) => _sync.Node.OpensNodePortsOn(address) && _sync.Addresses.Contains(address);

    [LoggerMessage(2, LogLevel.Information, "{Family}: connections from bridges {What}")]
    private static partial void LogBridges(ILogger logger, IpFamily family, string what);

    [LoggerMessage(3, LogLevel.Warning, "{Family}: packets on bridges pass the rules of iptables, and this kernel cannot translate them: pods on bridges do not reach Services: {Reason}")]
    private static partial void LogCannotTranslate(ILogger logger, IpFamily family, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Family}: conntrack entries of flows that are not translated could not be deleted: {Reason}")]
    private static partial void LogUntranslated(ILogger logger, IpFamily family, string reason);

    [LoggerMessage(1, LogLevel.Warning, "{Family}: rules were not removed: {Reason}")]
    private static partial void LogNotRemoved(ILogger logger, IpFamily family, string reason);
}
