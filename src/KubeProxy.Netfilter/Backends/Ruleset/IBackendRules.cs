using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>What the backends that write nf_tables do differently in the course of a sync.</summary>
internal interface IBackendRules
{
    /// <summary>An interface whose addresses are not the node's own, because the backend put them there; null for none.</summary>
    string? OwnInterface => null;

    /// <summary>
    /// Whether every packet of a flow is sent on by the rules, instead of the first one deciding for all: then no flow is stale that
    /// nobody translates, and deleting it could take the direction from it that the rules go by.
    /// </summary>
    bool SeesEveryPacket => false;

    /// <summary>Whether flows may lead there as well as to endpoints, because this process sends them on; never, as a rule.</summary>
    bool IsOwn(IpEndpoint endpoint) => false;

    /// <summary>Compiles what changed into desired kernel objects. Must not fail: the changes count as taken.</summary>
    /// <param name="changes">What changed.</param>
    /// <param name="baseChanged">Whether what the rules without any service are made of changed, or is to be looked at again.</param>
    void Absorb(PlanChanges changes, bool baseChanged);

    /// <summary>Does what has to be done before rules are written; nothing, as a rule.</summary>
    ValueTask PrepareAsync(CancellationToken cancellationToken) => default;

    /// <summary>Whether there seems to be something in the kernel that a look which is not thorough overlooks. Asked once in a sync.</summary>
    bool TakeStrays() => false;

    /// <summary>
    /// Does what has to be done once the rules are in the kernel, and before flows are deleted that lead to the past; nothing, as a rule.
    /// </summary>
    /// <param name="verify">Compare with the kernel instead of relying on what is known of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it is done; false when service ports were quarantined, so that rules have to be written again.</returns>
    ValueTask<bool> CompleteAsync(bool verify, CancellationToken cancellationToken) => new(true);

    /// <summary>
    /// Does without shared rules that only some service ports need, because the kernel refuses them, and quarantines these; nothing, as a rule.
    /// </summary>
    /// <param name="refused">The chains and sets that the kernel refuses; empty when it does not say which.</param>
    /// <param name="reason">Why.</param>
    /// <returns>Whether there was anything that it can do without, so that it is worth to try again.</returns>
    bool DoWithout(IReadOnlyCollection<string> refused, string reason) => false;

    /// <summary>Whether node ports are open on the address.</summary>
    bool AcceptsNodePorts(IpAddr address);
}
