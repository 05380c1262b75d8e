using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>Turns plans into desired kernel objects.</summary>
internal interface IServicePortCompiler
{
    /// <summary>Makes the desired state hold the plan for its owner, instead of what it held for it before.</summary>
    void Compile(RuleOwner owner, ServicePortPlan plan);

    /// <summary>Takes all that the owner wants out of the desired state.</summary>
    void Remove(RuleOwner owner);

    /// <summary>Many service ports are about to be compiled for the first time: room for them can be made at once.</summary>
    void Expect(int servicePorts) { }
}
