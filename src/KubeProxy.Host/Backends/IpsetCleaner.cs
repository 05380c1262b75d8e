using System.Collections.Frozen;
using KubeProxy.Netfilter.Ipset;

namespace KubeProxy.Host.Backends;

/// <summary>Destroys the ipsets of upstream's ipvs mode, once no rule refers to them. Without the kernel's module there are none, and it is not loaded for that.</summary>
/// <param name="connect">Opens the connection to the kernel.</param>
/// <param name="root">Where /sys is mounted below.</param>
internal sealed class IpsetCleaner(Func<IpsetClient> connect, string root = "/") : IRuleCleaner
{
    private const string Prefix = "KUBE-";
    private const string Ipv6Prefix = "KUBE-6-";

    private static readonly string[] Names =
    [
        "LOOP-BACK", "CLUSTER-IP", "EXTERNAL-IP", "EXTERNAL-IP-LOCAL", "LOAD-BALANCER", "LOAD-BALANCER-LOCAL", "LOAD-BALANCER-FW",
        "LOAD-BALANCER-SOURCE-CIDR", "LOAD-BALANCER-SOURCE-IP", "NODE-PORT-TCP", "NODE-PORT-UDP", "NODE-PORT-LOCAL-TCP", "NODE-PORT-LOCAL-UDP",
        "NODE-PORT-SCTP-HASH", "NODE-PORT-LOCAL-SCTP-HASH", "HEALTH-CHECK-NODE-PORT", "IPVS-IPS",
    ];

    // Longer ones are cut.
    private static readonly FrozenSet<string> Owned = Names.SelectMany(name => new[] { Prefix + name, Ipv6Prefix + name })
        .Select(name => name[..Math.Min(name.Length, IpsetClient.MaxNameLength)]).ToFrozenSet();

    public string Subject => "ipsets";

    public bool CanWin => false;

    // It is there with a module that is built in, too.
    private bool MayHaveSets => !Directory.Exists(Path.Combine(root, "sys/module")) || Directory.Exists(Path.Combine(root, "sys/module/ip_set"));

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        if (!MayHaveSets) return [];
        using var sets = connect();
        List<string> removed = [];
        foreach (var name in (await sets.ListNamesAsync(cancellationToken)).Where(Owned.Contains).Order(StringComparer.Ordinal))
            if (await sets.DestroyAsync(name, cancellationToken)) removed.Add($"ipset {name}");
        return removed;
    }
}
