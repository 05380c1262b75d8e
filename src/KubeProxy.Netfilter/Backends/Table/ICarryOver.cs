using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>Saves what rules have put into the table and what must not go with the objects of another layout that it is in.</summary>
internal interface ICarryOver
{
    /// <summary>What has to be written, at the end of the transaction in which these objects go; none, as a rule.</summary>
    ValueTask<IReadOnlyList<PendingWrite>> WriteAsync(CancellationToken cancellationToken);
}
