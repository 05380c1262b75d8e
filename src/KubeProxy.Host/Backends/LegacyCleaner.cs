using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;

namespace KubeProxy.Host.Backends;

/// <summary>Removes nothing: iptables-legacy is not written. It fails when there is something of a kube-proxy, and says how to remove it.</summary>
/// <param name="search">Looks into the tables of one family.</param>
internal sealed class LegacyCleaner(Func<IpFamily, IRivalSearch> search) : IRuleCleaner
{
    public string Subject => "iptables-legacy";

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        List<string> left = [];
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
            left.AddRange((await search(family).SearchAsync(cancellationToken)).Select(rival => $"there are {rival.Subject} ({rival.Details}). {rival.Remedy}"));
        return left.Count == 0 ? [] : throw new ProxyBackendException(string.Join(' ', left));
    }
}
