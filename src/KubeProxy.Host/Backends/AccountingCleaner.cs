using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Nfacct;

namespace KubeProxy.Host.Backends;

/// <summary>Removes the counters of the iptables mode, once no rule counts in them.</summary>
/// <param name="connect">Opens the connection to the kernel.</param>
internal sealed class AccountingCleaner(Func<IAccounting> connect) : IRuleCleaner
{
    public string Subject => "nfacct";

    public bool CanWin => false;

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        using var counters = connect();
        List<string> removed = [];
        foreach (var name in IptablesCleanup.Counters)
            if (await counters.DeleteAsync(name, cancellationToken)) removed.Add($"nfacct object {name}");
        return removed;
    }
}
