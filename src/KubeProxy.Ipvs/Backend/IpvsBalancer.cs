using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Balanced;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// Balances by IPVS: a virtual service for every frontend, whose destinations are the endpoints. With a
/// <see cref="BalancedBackend"/>, which writes the rules around it, it is the ipvs mode. See <c>docs/ipvs.md</c>.
/// </summary>
public sealed partial class IpvsBalancer : IBalancer
{
    private readonly IpvsBalancerOptions _options;
    private readonly IpvsBalancerParts _parts;
    private readonly ILogger _logger;
    private readonly VirtualServerCompiler _compiler;
    private readonly KernelReader _reader;
    private readonly ServerWriter _servers;
    private readonly VirtualInterface _interface;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _draining = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;
    private bool _known;
    private int _repaired;

    /// <summary>Makes a balancer; nothing happens before <see cref="StartAsync"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="parts">What to do it with; disposed with the balancer.</param>
    /// <param name="logger">Where to say so.</param>
    public IpvsBalancer(IpvsBalancerOptions options, IpvsBalancerParts parts, ILogger<IpvsBalancer> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        (_options, _parts, _logger) = (options, parts, logger);
        _compiler = new VirtualServerCompiler(options.Scheduler);
        _reader = new KernelReader(parts.Ipvs, options);
        _servers = new ServerWriter(parts.Ipvs, _reader);
        _interface = new VirtualInterface(parts.Routes, options.Family);
    }

    /// <inheritdoc/>
    public string Interface => VirtualInterface.Name;

    /// <summary>
    /// Checks that the kernel has IPVS and the scheduler, sets the sysctls and timeouts, and reads what is there. Unless a virtual
    /// service that is there tells that the kernel has the scheduler, one is made and deleted to find out.
    /// </summary>
    /// <inheritdoc/>
    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        // Both before anything is awaited: they are of the network namespace of the calling thread.
        IpvsSysctls.Apply(new KernelSettingsWriter(_parts.Settings, _logger), _parts.KernelVersion, _options.StrictArp);
        _interface.Start(requestSync);
        try
        {
            await _parts.Ipvs.GetInfoAsync(cancellationToken);
            await SetTimeoutsAsync(cancellationToken);
        }
        catch (NetlinkException e)
        {
            throw new ProxyBackendException(NetlinkPreflight.Explain(e, "IPVS", "CONFIG_IP_VS", "ip_vs"), e);
        }

        await LookAsync(cancellationToken);
        await _reader.CheckSchedulerAsync(_servers.Knows(_options.Scheduler), cancellationToken);
        _watching = Task.WhenAll(
            Task.Run(() => PollAsync(requestSync), CancellationToken.None), Task.Run(DrainAsync, CancellationToken.None));
    }

    /// <inheritdoc/>
    public void Set(RuleOwner owner, ServicePortPlan plan, NodeAddresses node)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(node);
        _servers.Set(owner, _compiler.Servers(plan, node));
        _interface.Set(owner, VirtualServerCompiler.VirtualAddresses(plan, node));
    }

    /// <inheritdoc/>
    public void Remove(RuleOwner owner)
    {
        _servers.Remove(owner);
        _interface.Remove(owner);
    }

    /// <inheritdoc/>
    public async Task<BalancerResult> SyncAsync(bool verify, CancellationToken cancellationToken)
    {
        using var turn = await Turn.EnterAsync(_turn, cancellationToken);
        try
        {
            if (verify || !_known || _interface.Touched) _repaired += await LookAsync(cancellationToken);
            var (operations, pending, refused) = await WriteAsync(cancellationToken);
            var result = new BalancerResult(operations, _repaired, pending, [.. refused.Select(entry => (entry.Key, entry.Value))]);
            _repaired = 0;
            return result;
        }
        catch
        {
            _known = false;
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _interface.DisposeAsync();
        _parts.Dispose();
        _turn.Dispose();
        _draining.Dispose();
        _stop.Dispose();
    }

    private async Task SetTimeoutsAsync(CancellationToken cancellationToken)
    {
        var current = await _parts.Ipvs.GetTimeoutsAsync(cancellationToken);
        var wanted = new IpvsTimeouts(Or(_options.Timeouts.Tcp, current.Tcp), Or(_options.Timeouts.TcpFin, current.TcpFin), Or(_options.Timeouts.Udp, current.Udp));
        if (wanted != current) await _parts.Ipvs.SetTimeoutsAsync(wanted, cancellationToken);

        static TimeSpan Or(TimeSpan wanted, TimeSpan current) => wanted == TimeSpan.Zero ? current : wanted;
    }

    // Returns how many things, of those believed to be right, were not.
    private async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        _known = false;
        var before = _interface.ChangeCount;
        var wrong = _servers.Adopt(await _reader.ReadAsync(cancellationToken));
        await _interface.LookAsync(cancellationToken);
        _known = true;
        return wrong + Math.Max(0, _interface.ChangeCount - before);
    }

    private async Task<(int Operations, int Pending, Dictionary<RuleOwner, string> Refused)> WriteAsync(CancellationToken cancellationToken)
    {
        var before = _servers.Draining;
        var made = await _interface.EnsureAsync(cancellationToken);
        var (operations, pending, refused) = await _servers.WriteAsync(cancellationToken);
        operations += made;
        if (refused.Count > 0)
        {
            // Perhaps the kernel did not have what we believed it had; by now we know what it has.
            (var more, pending, refused) = await _servers.WriteAsync(cancellationToken);
            operations += more;
        }

        operations += await _interface.WriteAsync(refused, cancellationToken);
        operations += await _servers.DrainAsync([.. _servers.Draining.Except(before)], cancellationToken);
        if (_servers.Draining.Count > 0 && _draining.CurrentCount == 0) _draining.Release();
        return (operations, pending, refused);
    }
}
