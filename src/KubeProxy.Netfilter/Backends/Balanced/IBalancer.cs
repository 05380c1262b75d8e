using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Netfilter.Backends.Balanced;

/// <summary>
/// Something in the kernel that balances connections in place of rules, such as IPVS. <see cref="BalancedBackend"/> writes all other
/// rules. The balancer gets connections to each frontend of <see cref="Frontend.IsBalanced"/> and leads them to its endpoints; it
/// makes the virtual addresses addresses of the node, on an interface of its own.
/// Calls are never concurrent.
/// </summary>
public interface IBalancer : IAsyncDisposable
{
    /// <summary>The name of the interface that has the virtual addresses.</summary>
    string Interface { get; }

    /// <summary>Checks what the kernel can do, and begins to watch. Writes nothing.</summary>
    /// <param name="requestSync">To be called from any thread when the kernel no longer holds what was asked for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Core.Sync.ProxyBackendException">The kernel does not suffice.</exception>
    Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken);

    /// <summary>Wants the plan, instead of what it wanted for the owner before.</summary>
    /// <param name="owner">The service port.</param>
    /// <param name="plan">What it means.</param>
    /// <param name="node">Where its node ports are open, and which addresses need not be bound.</param>
    void Set(RuleOwner owner, ServicePortPlan plan, NodeAddresses node);

    /// <summary>Wants nothing for the owner any more.</summary>
    void Remove(RuleOwner owner);

    /// <summary>Makes the kernel equal to what is wanted, or brings it nearer to that. The rules are in the kernel by then.</summary>
    /// <param name="verify">Compare with the kernel instead of relying on what is known of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Core.Sync.ProxyBackendException">The kernel does not (or may not) hold what was asked for.</exception>
    /// <exception cref="Netlink.NetlinkException">The same.</exception>
    Task<BalancerResult> SyncAsync(bool verify, CancellationToken cancellationToken);
}

/// <summary>The addresses of the node, other than virtual ones.</summary>
/// <param name="All">All of them.</param>
/// <param name="ForNodePorts">Those on which node ports are open, sorted.</param>
public sealed record NodeAddresses(ImmutableHashSet<IpAddr> All, ImmutableArray<IpAddr> ForNodePorts);

/// <summary>What a balancer did.</summary>
/// <param name="Operations">Kernel objects written or deleted.</param>
/// <param name="Repaired">Of those, the ones that somebody else had changed.</param>
/// <param name="Pending">
/// How many of its objects still differ from what is wanted, because to write them at once would keep other changes waiting. The caller calls again.
/// </param>
/// <param name="Refused">
/// Who was refused by the kernel, and why. When there is any, the caller takes them out and calls again.
/// </param>
public sealed record BalancerResult(int Operations, int Repaired, int Pending, IReadOnlyList<(RuleOwner Owner, string Reason)> Refused);
