using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>What the backends that write nf_tables do differently in the course of a sync.</summary>
internal interface IBackendRules
{
    /// <summary>Compiles what changed into desired kernel objects. Must not fail: the changes count as taken.</summary>
    /// <param name="changes">What changed.</param>
    /// <param name="baseChanged">Whether what the rules without any service are made of changed, or is to be looked at again.</param>
    void Absorb(PlanChanges changes, bool baseChanged);

    /// <summary>Does what has to be done before rules are written; nothing, as a rule.</summary>
    void Prepare()
    {
    }

    /// <summary>Whether node ports are open on the address.</summary>
    bool AcceptsNodePorts(IpAddr address);
}
