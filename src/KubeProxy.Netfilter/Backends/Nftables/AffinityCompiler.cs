using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// Session affinity. It is common to all frontends of a service port, so a service port has a number and each of its endpoints has one, and
/// clients are remembered by these. An endpoint that leaves takes its number with it: whoever was sent there is unknown from
/// that transaction on, also if it comes back. The numbers of those that stay are the same as long as they stay: they are found in the kernel.
/// </summary>
internal sealed class AffinityCompiler(IpFamily family, ServiceMaps state)
{
    private readonly ServiceMaps.AffinityMaps[] _maps = [state.AllAffinity, state.LocalAffinity];
    private uint _next = AffinityNumber.First;
    private bool _left;

    /// <summary>The timeouts of all service ports.</summary>
    public AffinityTimeouts Timeouts { get; } = new();

    /// <summary>Goes on after the numbers that were found in the kernel.</summary>
    public void Adopt()
    {
        Timeouts.Adopt(state.AffinityTimeouts);
        foreach (var number in _maps.SelectMany(maps => maps.Endpoints.KernelKeys.Concat(maps.Lists.Endpoints.KernelKeys.Select(key => (uint)key.Address!.Value.Value))))
            if (number >= _next) _next = number + 1;
    }

    /// <summary>Whether endpoints left since the last call, so that clients may be remembered who were sent there.</summary>
    public bool TakeLeft()
    {
        var left = _left;
        _left = false;
        return left;
    }

    /// <summary>Stages the lists of a service port that asks for session affinity.</summary>
    /// <param name="owner">The service port.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="all">The endpoints of frontends that lead to all.</param>
    /// <param name="local">The endpoints of frontends that lead to those on this node.</param>
    /// <returns>The number of the service port; null when it does not ask for session affinity, or there is nobody to stay with.</returns>
    public uint? Stage(RuleOwner owner, ServicePortPlan plan, ImmutableArray<IpEndpoint> all, ImmutableArray<IpEndpoint> local)
    {
        if (plan.AffinityTimeout is not { } timeout || (all.IsEmpty && local.IsEmpty))
        {
            Forget(owner);
            return null;
        }

        var seconds = (uint)timeout.TotalSeconds;
        Timeouts.Set(owner, seconds);
        var number = Find(owner, plan) ?? NextNumber();
        state.AffinityTimeout(seconds).Stage(AffinityBytes.KeyOf(family, number), new FrontendLabel(owner.Comment));
        var known = EndpointsOf(owner, number);
        var left = known.Count;
        var numbers = new Dictionary<IpEndpoint, uint>();
        Stage(state.AllAffinity, all);
        Stage(state.LocalAffinity, local);
        _left |= left > 0;
        return number;

        void Stage(ServiceMaps.AffinityMaps maps, ImmutableArray<IpEndpoint> endpoints)
        {
            if (endpoints.IsEmpty) return;
            var key = AffinityBytes.KeyOf(family, number);
            var size = SizeClass.Of(endpoints.Length);
            var slots = new IpEndpoint[Math.Min(endpoints.Length, size.Slots)];
            for (var i = 0; i < slots.Length; i++)
            {
                var endpoint = NumberOf(endpoints[i]);
                maps.Endpoints.Stage(endpoint, endpoints[i]);
                slots[i] = AffinityBytes.EndpointOf(family, endpoint);
            }

            maps.Lists.FrontendsBySize[size.Exponent].Stage(key, new FrontendLabel(owner.Comment));
            maps.Lists.Endpoints.TryGetCurrent(owner, key, out var current);
            maps.Lists.Endpoints.Stage(key, current.Rearranged(System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(slots)));
        }

        uint NumberOf(IpEndpoint endpoint)
        {
            if (numbers.TryGetValue(endpoint, out var found)) return found;
            if (known.TryGetValue(endpoint, out found)) left--;
            else found = NextNumber();
            numbers.Add(endpoint, found);
            return found;
        }
    }

    /// <summary>Notes that the service port does not ask for session affinity any more.</summary>
    public void Forget(RuleOwner owner) => _left |= Timeouts.Set(owner, null);

    /// <summary>The number that the service port has, if it has any.</summary>
    public uint? Find(RuleOwner owner, ServicePortPlan plan)
    {
        foreach (var frontend in plan.Frontends)
        {
            var maps = frontend.Key.Address is null ? state.NodePorts : state.Ips;
            var found = In(maps.All.Affinity) ?? In(maps.All.LocalAffinity) ?? In(maps.Local.LocalAffinity);
            if (found is not null) return found;

            uint? In(ElementCollection<FrontendKey, AffinityFrontend>? map) =>
                map is not null && map.TryGetCurrent(owner, frontend.Key, out var current) && current.Comment == owner.Comment
                && !_maps.Any(each => each.Lists.Endpoints.IsOfAnother(owner, AffinityBytes.KeyOf(family, current.Number))) ? current.Number : null;
        }

        return null;
    }

    /// <summary>The numbers that endpoints of the service port have.</summary>
    public Dictionary<IpEndpoint, uint> EndpointsOf(RuleOwner owner, uint servicePort)
    {
        var known = new Dictionary<IpEndpoint, uint>();
        var key = AffinityBytes.KeyOf(family, servicePort);
        foreach (var maps in _maps)
        {
            if (!maps.Lists.Endpoints.TryGetCurrent(owner, key, out var list)) continue;
            for (var i = 0; i < list.Count; i++)
                if (AffinityNumber.TryRead(list[i].Endpoint.Address, out var number) && maps.Endpoints.TryGetCurrent(owner, number, out var endpoint)) known.TryAdd(endpoint, number);
        }

        return known;
    }

    private bool IsTaken(uint number)
    {
        var key = AffinityBytes.KeyOf(family, number);
        foreach (var maps in _maps)
            if (maps.Endpoints.Contains(number) || maps.Lists.Endpoints.Contains(key)) return true;
        return false;
    }

    // One after the other, so that one that was given up is not used again for long: clients may still be remembered with it.
    private uint NextNumber()
    {
        while (true)
        {
            if (_next > AffinityNumber.Last) _next = AffinityNumber.First;
            var number = _next++;
            if (!IsTaken(number)) return number;
        }
    }
}
