using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// A virtual service with its destinations, as one value: as it should be, or as it was found. Almost all destinations are alike,
/// so they are kept as lists of endpoints, which the virtual services of one service port share.
/// </summary>
internal sealed record VirtualServer(VirtualService Service)
{
    /// <summary>The weight of all that take part.</summary>
    public const int FullWeight = 1;

    /// <summary>Those that get new connections, sorted.</summary>
    public ImmutableArray<IpEndpoint> Endpoints { get; init; } = [];

    /// <summary>Those that only keep the connections they have, sorted. Never desired: see <see cref="VirtualServerDifference"/>.</summary>
    public ImmutableArray<IpEndpoint> Draining { get; init; } = [];

    /// <summary>Those found with other properties than ours have. Never desired.</summary>
    public ImmutableArray<IpEndpoint> Odd { get; init; } = [];

    /// <summary>Whether there is no destination at all.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>How many destinations there are.</summary>
    public int Count => Endpoints.Length + Draining.Length + Odd.Length;

    /// <summary>All destinations.</summary>
    public IEnumerable<IpEndpoint> All => Endpoints.Concat(Draining).Concat(Odd);

    /// <summary>Whether the destination gets new connections and is as ours are.</summary>
    public bool IsInUse(IpEndpoint endpoint) => Endpoints.BinarySearch(endpoint) >= 0;

    /// <summary>Whether the destination only keeps the connections it has.</summary>
    public bool IsDraining(IpEndpoint endpoint) => Draining.BinarySearch(endpoint) >= 0;

    /// <summary>Whether there is the destination.</summary>
    public bool Has(IpEndpoint endpoint) => IsInUse(endpoint) || IsDraining(endpoint) || Odd.BinarySearch(endpoint) >= 0;

    /// <summary>Whether these are all the destinations that there are.</summary>
    public bool IsLeftWith(IReadOnlyCollection<IpEndpoint> endpoints) => endpoints.Count > 0 && endpoints.Count == Count;

    /// <summary>A destination as ours are.</summary>
    public static Destination Destination(IpEndpoint endpoint, int weight) => new() { Endpoint = endpoint, Weight = weight };

    /// <summary>What was found in the kernel.</summary>
    public static VirtualServer Observed(VirtualService service, IEnumerable<DestinationState> destinations)
    {
        List<IpEndpoint> endpoints = [], draining = [], odd = [];
        foreach (var (destination, _, _, _, _) in destinations)
        {
            var list = destination == Destination(destination.Endpoint, FullWeight) ? endpoints
                : destination == Destination(destination.Endpoint, 0) ? draining : odd;
            list.Add(destination.Endpoint);
        }

        return new VirtualServer(service) { Endpoints = [.. endpoints.Order()], Draining = [.. draining.Order()], Odd = [.. odd.Order()] };
    }

    public bool Equals(VirtualServer? other) => other is not null && Service == other.Service && Endpoints.AsSpan().SequenceEqual(other.Endpoints.AsSpan())
        && Draining.AsSpan().SequenceEqual(other.Draining.AsSpan()) && Odd.AsSpan().SequenceEqual(other.Odd.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Service.Key, Endpoints.Length, Draining.Length);
}
