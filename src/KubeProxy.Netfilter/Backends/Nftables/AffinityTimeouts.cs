using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>For which timeouts of session affinity there are a set and rules: for those of service ports, and until the periodic check for those of before.</summary>
internal sealed class AffinityTimeouts
{
    private readonly SortedSet<uint> _all = [];
    private readonly Dictionary<ServicePortName, uint> _ofServicePort = [];
    private readonly Dictionary<uint, int> _uses = [];

    /// <summary>The timeouts, in seconds.</summary>
    public IReadOnlyCollection<uint> All => _all;

    /// <summary>Notes those that were found in the kernel.</summary>
    public void Adopt(IEnumerable<uint> timeouts) => _all.UnionWith(timeouts);

    /// <summary>Notes what the service port asks for.</summary>
    /// <param name="owner">The service port.</param>
    /// <param name="seconds">The timeout; null for no session affinity.</param>
    /// <returns>Whether it asked for session affinity before.</returns>
    public bool Set(RuleOwner owner, uint? seconds)
    {
        if (owner.Name is not { } name) return false;
        var had = _ofServicePort.Remove(name, out var before);
        if (had && --_uses[before] == 0) _uses.Remove(before);
        if (seconds is not { } timeout) return had;
        _ofServicePort.Add(name, timeout);
        _uses[timeout] = _uses.GetValueOrDefault(timeout) + 1;
        return had;
    }

    /// <summary>Sees what service ports need now.</summary>
    /// <param name="shrink">Whether those go that none needs any more.</param>
    /// <returns>Whether there are others than before.</returns>
    public bool Update(bool shrink)
    {
        var before = _all.Count;
        var isShrunk = shrink && _all.RemoveWhere(timeout => !_uses.ContainsKey(timeout)) > 0;
        before = isShrunk ? -1 : before;
        _all.UnionWith(_uses.Keys);
        return _all.Count != before;
    }
}
