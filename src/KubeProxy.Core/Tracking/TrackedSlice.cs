using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>What is kept of an EndpointSlice: arrays of structs, because there are a hundred thousand endpoints.</summary>
internal sealed class TrackedSlice(
    NamespacedName name, NamespacedName service, IpFamily family, SlicePort[] ports, SliceEndpoint[] endpoints) : IEquatable<TrackedSlice>
{
    public NamespacedName Name => name;

    public NamespacedName Service => service;

    public IpFamily Family => family;

    public SlicePort[] Ports => ports;

    public SliceEndpoint[] Endpoints => endpoints;

    public bool Equals(TrackedSlice? other) => other is not null && name == other.Name && service == other.Service
        && family == other.Family && ports.AsSpan().SequenceEqual(other.Ports) && endpoints.AsSpan().SequenceEqual(other.Endpoints);

    public override bool Equals(object? obj) => Equals(obj as TrackedSlice);

    public override int GetHashCode() => name.GetHashCode();
}

/// <summary>A port that every endpoint of a slice has.</summary>
internal readonly record struct SlicePort(string Name, Protocol Protocol, ushort Port);

/// <summary>An endpoint of a slice; see <see cref="EndpointState"/>.</summary>
internal readonly record struct SliceEndpoint(IpAddr Address, EndpointFlags Flags, string? ZoneHints);
