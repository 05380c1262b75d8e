using System.Diagnostics.CodeAnalysis;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Balanced;

/// <summary>
/// The table beside a balancer. It has lists of endpoints only for traffic that must not go to the balancer, because other endpoints
/// than everybody's are meant for it.
/// </summary>
internal sealed class BalancedMaps : ServiceMaps
{
    public const string BalancedIps = "balanced-ips";
    public const string VirtualIps = "virtual-ips";

    /// <summary>The kinds of lists that there are.</summary>
    public static IReadOnlyList<EndpointLists> ListKinds { get; } = [EndpointLists.Ips, EndpointLists.Ports, EndpointLists.Affinity];

    private readonly FixedSets _sets;

    [SetsRequiredMembers]
    public BalancedMaps(RuleParts parts, FixedSets sets) : base(parts.Family, sets)
    {
        _sets = sets;
        Balanced = new(
            Set(BalancedIps, [parts.AddressType, NftDataType.InetProto, NftDataType.InetService], "frontends that are balanced elsewhere"),
            new FrontendCodec(parts.Family), Staged);
        Virtual = new(Set(VirtualIps, [parts.AddressType], "addresses of services that are bound to this node"), new AddressCodec(parts.Family), Staged);
        Elements = [.. Elements, Balanced, Virtual];

        NftSet Set(string name, NftDataType[] key, string comment) =>
            new(new NftSetKey(parts.Table, name)) { KeyType = [.. key], Comment = comment };
    }

    /// <summary>Frontends with an address that the balancer takes.</summary>
    public ElementCollection<FrontendKey, NoValue> Balanced { get; }

    /// <summary>The virtual addresses that are bound to the balancer's interface.</summary>
    public ElementCollection<IpAddr, NoValue> Virtual { get; }

    /// <summary>The sets and maps that there are for lists of some sizes.</summary>
    public IEnumerable<NftSet> All(IReadOnlyCollection<SizeClass> sizes) => [.. _sets.All(sizes, ListKinds), Balanced.Set, Virtual.Set];
}
