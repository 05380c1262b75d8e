using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>The service ports that are wanted, and those among them that the kernel refuses.</summary>
internal sealed class ServicePorts(IServicePortCompiler compiler, TimeProvider time)
{
    private readonly Dictionary<ServicePortName, Wanted> _wanted = [];
    private readonly Dictionary<ServicePortName, QuarantinedOwner> _quarantined = [];
    private readonly HashSet<ServicePortName> _unaccepted = [];

    /// <summary>What the kernel refuses.</summary>
    public IReadOnlyList<QuarantinedOwner> Quarantined => [.. _quarantined.Values];

    /// <summary>The plans in force or to be.</summary>
    public IEnumerable<ServicePortPlan> Plans => _wanted.Values.Select(w => w.Plan);

    /// <summary>The plan in force or to be; null when the service port is unknown.</summary>
    public ServicePortPlan? Find(ServicePortName name) => _wanted.TryGetValue(name, out var wanted) ? wanted.Plan : null;

    /// <summary>That many plans are about to be wanted. When it is more than there are, tables that grow step by step cost as much as what is put into them.</summary>
    public void Expect(int plans)
    {
        if (plans <= _wanted.Count) return;
        _wanted.EnsureCapacity(plans);
        _unaccepted.EnsureCapacity(plans);
        compiler.Expect(plans);
    }

    /// <summary>Wants the plan. A service port that was refused is tried again.</summary>
    public void Update(ServicePortPlan plan)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_wanted, plan.Name, out _);
        var wanted = place = new Wanted(new RuleOwner(plan.Name, plan.CreatedAt), plan, place?.Accepted);
        _quarantined.Remove(plan.Name);
        _unaccepted.Add(plan.Name);
        compiler.Compile(wanted.Owner, plan);
    }

    /// <summary>No longer wants the service port.</summary>
    public void Remove(ServicePortName name)
    {
        _quarantined.Remove(name);
        _unaccepted.Remove(name);
        if (_wanted.Remove(name, out var wanted)) compiler.Remove(wanted.Owner);
    }

    /// <summary>Tries everything again that was refused.</summary>
    public void RetryQuarantined()
    {
        foreach (var name in _quarantined.Keys.ToArray()) Update(_wanted[name].Plan);
    }

    /// <summary>Notes that the kernel has all that was wanted.</summary>
    public void Accept()
    {
        foreach (var name in _unaccepted)
            if (_wanted.TryGetValue(name, out var wanted)) wanted.Accepted = wanted.Plan;
        _unaccepted.Clear();
    }

    /// <summary>
    /// Takes a service port out that the kernel refused, so that the others are programmed: what the kernel accepted of it
    /// before stays in force; if it does not accept that either, nothing of it.
    /// </summary>
    public void Quarantine(RuleOwner owner, string reason)
    {
        ArgumentNullException.ThrowIfNull(owner);
        if (owner.Name is not { } name || !_wanted.TryGetValue(name, out var wanted)) return;
        _quarantined.TryAdd(name, new QuarantinedOwner(name, reason, time.GetUtcNow()));
        _unaccepted.Remove(name);
        var lastGood = wanted.Accepted == wanted.Plan ? null : wanted.Accepted;
        wanted.Accepted = null;
        if (lastGood is null) compiler.Remove(wanted.Owner);
        else compiler.Compile(wanted.Owner, lastGood);
    }

    private sealed class Wanted(RuleOwner owner, ServicePortPlan plan, ServicePortPlan? accepted)
    {
        public RuleOwner Owner { get; } = owner;

        public ServicePortPlan Plan { get; } = plan;

        /// <summary>What the kernel took last.</summary>
        public ServicePortPlan? Accepted { get; set; } = accepted;
    }
}
