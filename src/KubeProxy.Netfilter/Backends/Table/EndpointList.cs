using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The endpoints of a frontend and the slots that they are in. The slots of a list that is wanted are numbered from 0 without a gap;
/// a part of a list, or what others made of one in the kernel, may have any. Compared by value.
/// </summary>
internal readonly struct EndpointList : IEquatable<EndpointList>
{
    private readonly ImmutableArray<IpEndpoint> _endpoints;
    private readonly uint[]? _slots; // null: numbered from 0

    /// <summary>A list without a gap.</summary>
    public EndpointList(ImmutableArray<IpEndpoint> endpoints) => _endpoints = endpoints;

    private EndpointList(ImmutableArray<IpEndpoint> endpoints, uint[]? slots) => (_endpoints, _slots) = (endpoints, slots);

    /// <summary>How many slots are taken.</summary>
    public int Count => _endpoints.IsDefault ? 0 : _endpoints.Length;

    /// <summary>The taken slots in their order.</summary>
    public (uint Slot, IpEndpoint Endpoint) this[int index] => (_slots is null ? (uint)index : _slots[index], _endpoints[index]);

    /// <summary>A list of slots in any order; of those that are there more than once, any one counts.</summary>
    public static EndpointList From(Span<(uint Slot, IpEndpoint Endpoint)> taken)
    {
        taken.Sort(static (left, right) => left.Slot.CompareTo(right.Slot));
        taken = taken[..DropRepeated(taken)];
        var endpoints = new IpEndpoint[taken.Length];
        var isDense = taken.Length == 0 || taken[^1].Slot == taken.Length - 1;
        var slots = isDense ? null : new uint[taken.Length];
        for (var i = 0; i < taken.Length; i++)
        {
            endpoints[i] = taken[i].Endpoint;
            if (slots is not null) slots[i] = taken[i].Slot;
        }

        return new EndpointList(ImmutableCollectionsMarshal.AsImmutableArray(endpoints), slots);
    }

    /// <summary>
    /// These endpoints in a list without a gap, each in the slot that it has here if that is still needed, so that a change of one
    /// endpoint is a change of one or two slots and not of the whole list.
    /// </summary>
    public EndpointList Rearranged(ImmutableArray<IpEndpoint> endpoints)
    {
        if (Count == 0 || (_slots is null && _endpoints.AsSpan().SequenceEqual(endpoints.AsSpan()))) return new EndpointList(endpoints);
        var missing = new HashSet<IpEndpoint>(endpoints.Length);
        foreach (var endpoint in endpoints) missing.Add(endpoint);
        var (result, isTaken) = (new IpEndpoint[endpoints.Length], new bool[endpoints.Length]);
        for (var i = 0; i < Count; i++)
        {
            var (slot, endpoint) = this[i];
            if (slot < result.Length && missing.Remove(endpoint)) (result[slot], isTaken[slot]) = (endpoint, true);
        }

        var next = 0;
        foreach (var endpoint in endpoints)
        {
            if (!missing.Contains(endpoint)) continue;
            while (isTaken[next]) next++;
            result[next++] = endpoint;
        }

        return new EndpointList(ImmutableCollectionsMarshal.AsImmutableArray(result));
    }

    /// <summary>What is here and not there: slots that are free there, or have another endpoint.</summary>
    public EndpointList Without(EndpointList other)
    {
        var (left, at) = (new List<(uint, IpEndpoint)>(), 0);
        for (var i = 0; i < Count; i++)
        {
            var (slot, endpoint) = this[i];
            while (at < other.Count && other[at].Slot < slot) at++;
            if (at == other.Count || other[at].Slot != slot || other[at].Endpoint != endpoint) left.Add((slot, endpoint));
        }

        return From(CollectionsMarshal.AsSpan(left));
    }

    private static int DropRepeated(Span<(uint Slot, IpEndpoint Endpoint)> sorted)
    {
        var kept = 0;
        foreach (var each in sorted)
            if (kept == 0 || sorted[kept - 1].Slot != each.Slot) sorted[kept++] = each;
        return kept;
    }

    public bool Equals(EndpointList other) =>
        Count == other.Count && (Count == 0 || (_endpoints.AsSpan().SequenceEqual(other._endpoints.AsSpan()) && _slots.AsSpan().SequenceEqual(other._slots)));

    public override bool Equals(object? obj) => obj is EndpointList other && Equals(other);

    public override int GetHashCode() => Count == 0 ? 0 : HashCode.Combine(Count, _endpoints[0]);
}
