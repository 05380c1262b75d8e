using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// What the backends of all families share: one client, and one monitor that tells its own commits from those of others. The
/// ruleset has one generation for all families, and a second listener would make the kernel build notifications even while the
/// first one pauses.
/// </summary>
public sealed class NftablesConnection : IAsyncDisposable
{
    private readonly NftMonitor? _monitor;
    private readonly Lock _gate = new();
    private readonly List<TableWatch> _watches = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Task _reading;
    private int _pauses;

    /// <summary>Takes over both, and disposes them with itself.</summary>
    /// <param name="client">The client of all commits.</param>
    /// <param name="monitor">Tells of foreign changes; null: nobody does, and every stale commit is looked into.</param>
    public NftablesConnection(NftablesClient client, NftMonitor? monitor)
    {
        (Client, _monitor) = (client, monitor);
        _reading = monitor is null ? Task.CompletedTask : Task.Run(() => ReadAsync(monitor));
    }

    /// <summary>
    /// Raised after a change by somebody else, to whatever table, and when changes may have been missed; on the thread that reads them:
    /// handlers return at once.
    /// </summary>
    public event Action<NftChange>? ForeignChange;

    /// <summary>The client.</summary>
    public NftablesClient Client { get; }

    /// <summary>Opens sockets in the network namespace of the calling thread.</summary>
    /// <exception cref="ProxyBackendException">The kernel has no nf_tables, or CAP_NET_ADMIN is missing; the message says which.</exception>
    public static NftablesConnection Open()
    {
        NftablesClient? client = null;
        try
        {
            client = NftablesClient.Open();
            return new NftablesConnection(client, NftMonitor.Open(client.PortId));
        }
        catch (NetlinkException e)
        {
            client?.DisposeAsync().AsTask().GetAwaiter().GetResult(); // Closing a socket does not wait.
            throw new ProxyBackendException(NetlinkPreflight.Explain(e, "nf_tables", "CONFIG_NF_TABLES", "nf_tables"), e);
        }
    }

    /// <summary>Closes the sockets.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _monitor?.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Client.DisposeAsync();
        _stop.Dispose();
        _turn.Dispose();
    }

    /// <summary>Watches one table.</summary>
    internal IForeignChanges Watch(NftTableKey table) => Watch(change => change.Tables.Contains(table));

    /// <summary>Watches what some foreign changes touch.</summary>
    internal IForeignChanges Watch(Func<NftChange, bool> concerns)
    {
        var watch = new TableWatch(this, concerns);
        lock (_gate) _watches.Add(watch);
        return watch;
    }

    internal void Remove(TableWatch watch)
    {
        lock (_gate) _watches.Remove(watch);
    }

    /// <summary>The generation that the last commit over this connection made, as long as somebody listens to what others do.</summary>
    internal uint? LastCommitted { get; private set; }

    /// <summary>Waits until nobody else commits over this connection.</summary>
    /// <returns>To be called once, with the generation that was made, if any.</returns>
    internal async ValueTask<Action<uint?>> EnterAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        return Leave;
    }

    /// <summary>Stops listening, until as many calls of <see cref="ResumeAsync"/>.</summary>
    internal void Pause()
    {
        lock (_gate)
        {
            if (_pauses++ == 0) _monitor?.Pause();
        }
    }

    /// <summary>Listens again. Unless the ruleset is at that generation, anything may have happened meanwhile.</summary>
    internal async Task ResumeAsync(uint? generation)
    {
        lock (_gate)
        {
            if (--_pauses == 0) _monitor?.Resume();
        }

        var current = await Client.GetGenerationAsync();
        if (current == generation) Tell(new NftChange(NftChangeKind.Own, current));
        else Tell(new NftChange(NftChangeKind.Lost, null));
    }

    private async Task ReadAsync(NftMonitor monitor)
    {
        await foreach (var change in monitor.ReadAsync(_stop.Token)) Tell(change);
    }

    private void Tell(NftChange change)
    {
        TableWatch[] watches;
        lock (_gate) watches = [.. _watches];
        foreach (var watch in watches) watch.Tell(change);
        if (change.Kind != NftChangeKind.Own) ForeignChange?.Invoke(change);
    }

    private void Leave(uint? committed)
    {
        if (_monitor is not null && committed is not null) LastCommitted = committed;
        _turn.Release();
    }
}
