using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>What planning needs to know of this node.</summary>
/// <param name="Zone">The zone; null when unknown: then zone hints are ignored.</param>
/// <param name="IPv4">The node's IPv4 address; null when unknown.</param>
/// <param name="IPv6">The node's IPv6 address; null when unknown.</param>
internal sealed record NodeTopology(string? Zone = null, IpAddr? IPv4 = null, IpAddr? IPv6 = null)
{
    /// <summary>The node's address of a family.</summary>
    public IpAddr? AddressOf(IpFamily family) => family == IpFamily.IPv4 ? IPv4 : IPv6;
}
