using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Host.Backends;

/// <summary>Puts sysctls back that other modes set.</summary>
/// <param name="connect">Opens the connection to the kernel's rules, where it is noted what they were.</param>
/// <param name="settings">The sysctls.</param>
/// <param name="keep">Those of the mode in force.</param>
internal sealed class SysctlCleaner(Func<INftables> connect, KernelSettings settings, IReadOnlyList<ModeSysctl> keep) : IRuleCleaner
{
    public string Subject => "sysctls";

    public bool CanWin => false;

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        await using var nftables = connect();
        return await new SysctlRecord(nftables, settings).RestoreAsync(keep, cancellationToken);
    }
}
