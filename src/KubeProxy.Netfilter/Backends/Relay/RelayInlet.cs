using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>A port of the relay, by what comes there.</summary>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="Entrance">Who connections are from.</param>
/// <param name="Translated">
/// Whether packets come by a translation of their destination, so that only conntrack knows what it was; otherwise they bear it
/// still, and are given to the port's socket by tproxy.
/// </param>
internal readonly record struct RelayInlet(Protocol Protocol, RelayEntrance Entrance, bool Translated)
{
    /// <summary>All there are.</summary>
    public static ImmutableArray<RelayInlet> All { get; } =
    [
        .. from protocol in (Protocol[])[Protocol.Tcp, Protocol.Udp]
           from entrance in (RelayEntrance[])[RelayEntrance.Frontend, RelayEntrance.ShortCircuit]
           from translated in (bool[])[false, true]
           select new RelayInlet(protocol, entrance, translated),
    ];

    /// <summary>Those of a protocol.</summary>
    public static IEnumerable<RelayInlet> Of(Protocol protocol) => All.Where(inlet => inlet.Protocol == protocol);
}
