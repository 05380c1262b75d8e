using KubeProxy.Core.Explaining;
using KubeProxy.Core.Health;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Core.Tracking;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Core;

/// <summary>
/// What the Services of a cluster mean on one node: objects in, plans and problems out. No backend, no loop, no kernel, and no clock; the same
/// semantics that <see cref="ProxyEngine"/> has, which is made of it. Objects may come in any order, and a change costs what it touches.
/// Thread-safe. Nothing in an object makes it throw: what cannot be used is a problem.
/// </summary>
public sealed class ServicePlans : IProxySink
{
    private readonly ProblemRegistry _problems;

    /// <summary>Makes one that knows of no object yet.</summary>
    /// <param name="options">The node. Periods are of no account here.</param>
    /// <param name="families">Of which families there are plans; both by default.</param>
    /// <param name="logger">Where problems are said, each once.</param>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    public ServicePlans(ProxyOptions options, IEnumerable<IpFamily>? families = null, ILogger? logger = null)
        : this(options, families ?? [IpFamily.IPv4, IpFamily.IPv6], logger ?? NullLogger.Instance, DateTimeOffset.MinValue) { }

    internal ServicePlans(ProxyOptions options, IEnumerable<IpFamily> families, ILogger logger, DateTimeOffset start)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _problems = new ProblemRegistry(logger);
        State = new ClusterState(options, families, _problems, start);
    }

    /// <summary>Everything wrong with the objects at present, sorted; see <see cref="ObjectProblem"/>.</summary>
    public IReadOnlyList<ObjectProblem> Problems => _problems.Snapshot();

    internal ClusterState State { get; }

    /// <summary>Plans of exactly these objects.</summary>
    /// <param name="options">The node.</param>
    /// <param name="objects">All that there are. Of two with one name the last one counts.</param>
    public static ServicePlans Of(ProxyOptions options, params IEnumerable<KubernetesObject> objects)
    {
        ArgumentNullException.ThrowIfNull(objects);
        var plans = new ServicePlans(options);
        foreach (var value in objects) plans.Upsert(value);
        return plans;
    }

    /// <summary>All plans of a family, sorted by name; none for a family that was not asked for.</summary>
    public IReadOnlyList<ServicePortPlan> Get(IpFamily family) => State.Read<IReadOnlyList<ServicePortPlan>>(_ =>
    {
        if (State.Planner(family) is not { } planner) return [];
        planner.PlanAhead();
        return planner.Plans;
    });

    /// <summary>The plan of one service port; null when there is none (unknown, without an address of the family, or another proxy's).</summary>
    public ServicePortPlan? Find(ServicePortName name, IpFamily family) => State.Read(_ =>
    {
        if (State.Planner(family) is not { } planner) return null;
        planner.PlanAhead();
        return planner.Find(name);
    });

    /// <summary>What the rules have to know of the node and the cluster.</summary>
    /// <exception cref="ArgumentException">The family was not asked for.</exception>
    public NodePlan GetNode(IpFamily family) => State.Read(_ => (State.Planner(family) ?? throw Unknown(family)).Node);

    /// <summary>
    /// What has changed since this was last called, for one backend to bring into force (<see cref="IProxyBackend.SyncAsync"/>); at first everything.
    /// </summary>
    /// <exception cref="ArgumentException">The family was not asked for.</exception>
    public PlanChanges Take(IpFamily family) => State.Take(State.Planner(family) ?? throw Unknown(family)).Changes;

    /// <summary>
    /// Why things are as they are with a target: what the plans of the service ports that it concerns are made by, and what they are.
    /// </summary>
    /// <param name="target">What is to be explained.</param>
    /// <param name="masquerade">Which connections to cluster IPs of a family are masqueraded; null when that does not matter.</param>
    public Explanation Explain(ExplainTarget target, Func<IpFamily, MasqueradePolicy?>? masquerade = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        return State.Explain(target, masquerade ?? (_ => null));
    }

    /// <summary>What load balancers are to be answered on health check node ports, by Service.</summary>
    public IReadOnlyList<ServiceHealth> GetHealthChecks(IpFamily family) => State.Read<IReadOnlyList<ServiceHealth>>(_ =>
    {
        if (State.Planner(family) is not { } planner) return [];
        planner.PlanAhead();
        return planner.Health;
    });

    /// <inheritdoc/>
    public void Upsert(KubernetesObject value)
    {
        ArgumentNullException.ThrowIfNull(value);
        State.Upsert(value);
    }

    /// <inheritdoc/>
    public void Delete(ObjectKind kind, NamespacedName name) => State.Delete(kind, name);

    /// <inheritdoc/>
    public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var names = new HashSet<NamespacedName>();
        foreach (var value in values)
        {
            if (value.Kind != kind) throw new ArgumentException($"A {value.Kind.ToName()} is not a {kind.ToName()}.", nameof(values));
            Upsert(value);
            names.Add(value.Name);
        }

        State.DeleteOthers(kind, names);
    }

    /// <summary>Of no account here: plans are of what is known.</summary>
    public void MarkSynced(ObjectKind kind) { }

    /// <inheritdoc/>
    public void Report(string place, IReadOnlyList<ObjectProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(problems);
        _problems.Set(ProblemOrigin.Source, default, new NamespacedName("", place), problems);
    }

    private static ArgumentException Unknown(IpFamily family) => new($"There are no plans of {family} here.", nameof(family));
}
