using System.Diagnostics.Metrics;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Health;
using KubeProxy.Core.History;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Tracking;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Core.Sync;

/// <summary>
/// The heart of the proxy: takes objects from a source, keeps the plans of all service ports up to date, and gives what
/// changed to one backend for each address family. Each family has its own loop: one that fails does not hold up the other.
/// </summary>
/// <remarks>
/// <see cref="RunAsync"/> once; a source may push before and during that. The engine does not dispose its backends.
/// </remarks>
public sealed class ProxyEngine : IProxySink, IDisposable
{
    private readonly ProxyOptions _options;
    private readonly ServicePlans _plans;
    private readonly ClusterState _state;
    private readonly EngineServices _services;
    private readonly SourceReadiness _readiness;
    private readonly FamilySync[] _loops;

    /// <summary>Makes an engine.</summary>
    /// <param name="options">The options.</param>
    /// <param name="backends">One or two backends, each of another family.</param>
    /// <param name="time">The clock; the system's by default.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="meterFactory">Makes the meter <c>KubeProxy</c>; without one the engine has a meter of its own.</param>
    /// <exception cref="ArgumentException">The options are out of range, or two backends are of one family, or there is none.</exception>
    public ProxyEngine(
        ProxyOptions options,
        IEnumerable<IProxyBackend> backends,
        TimeProvider? time = null,
        ILogger<ProxyEngine>? logger = null,
        IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(backends);
        IProxyBackend[] all = [.. backends];
        if (all.Length == 0) throw new ArgumentException("There is no backend.", nameof(backends));
        if (all.DistinctBy(backend => backend.Family).Count() != all.Length)
            throw new ArgumentException("Two backends are of one family.", nameof(backends));

        time ??= TimeProvider.System;
        ILogger log = logger ?? NullLogger<ProxyEngine>.Instance;
        _options = options;
        _plans = new ServicePlans(options, all.Select(backend => backend.Family), log, time.GetUtcNow());
        _state = _plans.State;
        Health = new ProxyHealth(time, options.SyncPeriod);
        Health.Change(options.SyncPeriod, options.MinSyncPeriod);
        Health.Expect(all.Select(backend => backend.Family));
        var metrics = new ProxyMetrics(meterFactory);
        metrics.Observe(Count);
        _services = new EngineServices(time, log, metrics, Health, ServiceHealth);
        _readiness = new SourceReadiness(time, options.NodeWait);
        _loops = [.. all.Zip(_state.Families, (backend, planner) => new FamilySync(planner, _state, backend, options, _services))];
    }

    /// <summary>Whether the proxy keeps up, and whether the node should get traffic.</summary>
    public ProxyHealth Health { get; }

    /// <summary>What to answer load balancers that check single Services.</summary>
    public ServiceHealthTable ServiceHealth { get; } = new();

    /// <inheritdoc/>
    public void Upsert(KubernetesObject value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _plans.Upsert(value);
        if (value.Kind == ObjectKind.Node) UpdateEligibility();
    }

    /// <inheritdoc/>
    public void Delete(ObjectKind kind, NamespacedName name) => _plans.Delete(kind, name);

    /// <inheritdoc/>
    public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values)
    {
        try
        {
            _plans.Replace(kind, values);
        }
        finally
        {
            if (kind == ObjectKind.Node) UpdateEligibility(); // Of those before it threw.
        }
    }

    /// <inheritdoc/>
    public void MarkSynced(ObjectKind kind)
    {
        if (kind == ObjectKind.EndpointSlice) _state.BeginMeasuringProgramming();
        _readiness.MarkSynced(kind);
    }

    /// <inheritdoc/>
    public void Report(string place, IReadOnlyList<ObjectProblem> problems) => _plans.Report(place, problems);

    /// <summary>Starts the backends and syncs until cancelled. Rules stay in place when it ends.</summary>
    /// <exception cref="ProxyBackendException">A backend cannot start.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ready = BecomeReadyAsync();
        List<Task> loops = [.. _loops.Select((loop, i) => loop.RunAsync(ready, i == 0 ? Task.CompletedTask : _loops[i - 1].FirstAttempt, stop.Token))];
        var first = await Task.WhenAny(loops);
        await stop.CancelAsync();
        await Task.WhenAll(loops).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await first;
    }

    /// <summary>
    /// Takes over <see cref="ProxyOptions.MinSyncPeriod"/>, <see cref="ProxyOptions.SyncPeriod"/> and
    /// <see cref="ProxyOptions.NodePortAddresses"/> while it runs; the other options stay as they were. From any thread.
    /// </summary>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    public void Reconfigure(ProxyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        foreach (var loop in _loops) loop.Change(options.MinSyncPeriod, options.SyncPeriod);
        Health.Change(options.SyncPeriod, options.MinSyncPeriod);
        _state.SetNodePortAddresses(options.NodePortAddresses);
    }

    /// <summary>The blocks in which node ports of a family are open now; empty for everywhere.</summary>
    public IReadOnlyList<Cidr> GetNodePortBlocks(IpFamily family) =>
        _state.Read(trackers => trackers.NodePortAddresses.Resolve(family, trackers.Node.Topology));

    /// <summary>Why things are as they are with a target, by what is known now; and what the kernel refused of it.</summary>
    /// <param name="target">What is to be explained.</param>
    /// <param name="masquerade">Which connections to cluster IPs of a family are masqueraded; null when that does not matter.</param>
    public Explanation Explain(ExplainTarget target, Func<IpFamily, MasqueradePolicy?>? masquerade = null)
    {
        var explanation = _plans.Explain(target, masquerade);
        var families = GetStatus().Families.ToDictionary(family => family.Family);
        var changes = GetChanges();
        return explanation with
        {
            Ports = [.. explanation.Ports.Select(port => port with
            {
                Causes = [.. InKernel(port, families[port.Family]), .. port.Causes],
                LastChange = changes.FirstOrDefault(change => change.Family == port.Family && change.Concerns(port.Name.Service)),
            })],
        };
    }

    /// <summary>The last syncs that did something or failed, newest first: at most a thousand.</summary>
    /// <param name="most">How many are wanted.</param>
    public IReadOnlyList<ChangeRecord> GetChanges(int most = int.MaxValue) => _services.Changes.Newest(most);

    /// <summary>What the rules have to know of the node and the cluster now.</summary>
    /// <exception cref="ArgumentException">There is no backend of the family.</exception>
    public NodePlan GetNode(IpFamily family) => _plans.GetNode(family);

    /// <summary>
    /// Completes when everything delivered so far is in force in every family (or quarantined). Waits through failures.
    /// </summary>
    public async Task WaitForSyncAsync(CancellationToken cancellationToken)
    {
        var targets = _state.Read(_ => _state.Families.Select(family => family.Version).ToArray());
        while (true)
        {
            var progress = _services.NextProgress;
            if (_loops.Zip(targets).All(pair => pair.First.Progress.Version >= pair.Second)) return;
            await progress.WaitAsync(cancellationToken);
        }
    }

    /// <summary>What the engine holds and does now.</summary>
    public ProxyStatus GetStatus()
    {
        var now = _services.Time.GetUtcNow();
        var (zone, ports) = _state.Read(trackers =>
            (trackers.Node.Topology.Zone, _state.Families.Select(family => family.PortCount).ToArray()));
        return new ProxyStatus
        {
            NodeName = _options.NodeName,
            Zone = zone,
            Synced = _readiness.Synced,
            Counts = Count(),
            Problems = _plans.Problems,
            Families = [.. _loops.Select((loop, i) => loop.Progress.Snapshot(_state.Families[i].Family, ports[i], now))],
        };
    }

    /// <summary>The plans of a family that were last given to its backend, sorted by name.</summary>
    public IReadOnlyList<ServicePortPlan> GetPlans(IpFamily family) => _state.Read<IReadOnlyList<ServicePortPlan>>(
        _ => _state.Families.FirstOrDefault(planner => planner.Family == family)?.Plans ?? []);

    /// <inheritdoc/>
    public void Dispose()
    {
        _readiness.Dispose();
        _services.Metrics.Dispose();
    }

    private static IEnumerable<Cause> InKernel(ServicePortExplanation port, FamilyStatus family)
    {
        if (family.Quarantined.FirstOrDefault(owner => owner.Owner == port.Name) is { } refused)
            yield return new Cause(CauseKind.Quarantined, $"the service port is refused and left out since {refused.Since:yyyy-MM-ddTHH:mm:ssZ}: {refused.Reason}");
        if (family.Syncs == 0) yield return new Cause(CauseKind.NotInForce, "nothing has been programmed yet");
        else if (family.LastError is { } error) yield return new Cause(CauseKind.NotInForce, $"the last sync failed, so that this may not be in force: {error}");
        else if (!family.IsCurrent) yield return new Cause(CauseKind.NotInForce, "the kernel is being brought up to date");
    }

    private void UpdateEligibility() => Health.SetNodeEligible(_state.Read(trackers => trackers.Node.Eligible));

    private async Task BecomeReadyAsync()
    {
        await _readiness.Ready;
        _services.IsReady = true;
    }

    private ProxyCounts Count() => _state.Read(trackers => new ProxyCounts
    {
        Services = trackers.Services.Count,
        EndpointSlices = trackers.Slices.Count,
        Endpoints = trackers.Slices.EndpointCount,
        PendingServices = _state.Families.Max(family => family.CountPending(FamilyPlanner.Pending.Service)),
        PendingEndpoints = _state.Families.Sum(family => family.CountPending(FamilyPlanner.Pending.Endpoints)),
        ServiceChanges = _state.ServiceChanges,
        EndpointChanges = _state.EndpointChanges,
        Problems = trackers.Problems.Count,
    });
}
