using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The identity of a chain.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftChainKey(NftTableKey Table, string Name);

/// <summary>The type of a base chain.</summary>
public enum NftChainType
{
    /// <summary>Plain filtering, any hook.</summary>
    Filter,

    /// <summary>Address translation: sees only the first packet of a connection.</summary>
    Nat,

    /// <summary>Like mangle in iptables: an output packet whose mark or addresses changed is routed again.</summary>
    Route,
}

/// <summary>A netfilter hook (<c>enum nf_inet_hooks</c>; the families arp and netdev have numbers of their own on the wire).</summary>
public enum NftHook : uint
{
    /// <summary>Every received packet, before the routing decision.</summary>
    Prerouting = 0, // NF_INET_PRE_ROUTING

    /// <summary>Packets for this host.</summary>
    Input = 1, // NF_INET_LOCAL_IN

    /// <summary>Packets for other hosts.</summary>
    Forward = 2, // NF_INET_FORWARD

    /// <summary>Packets of this host.</summary>
    Output = 3, // NF_INET_LOCAL_OUT

    /// <summary>Every leaving packet.</summary>
    Postrouting = 4, // NF_INET_POST_ROUTING

    /// <summary>Every packet that a device receives, before all else; in netdev and inet tables, with devices.</summary>
    Ingress = 5, // NF_INET_INGRESS, NF_NETDEV_INGRESS

    /// <summary>Every packet that a device sends, after all else; in netdev tables, with devices. Linux 5.16.</summary>
    Egress = 6, // NF_NETDEV_EGRESS
}

/// <summary>What makes a chain a base chain: where the kernel calls it.</summary>
/// <param name="Type">The type.</param>
/// <param name="Hook">The hook.</param>
/// <param name="Priority">The order among the chains of the hook, lower first.</param>
/// <param name="DropByDefault">The policy for packets that no rule decides: drop instead of accept.</param>
public sealed record NftBaseChain(NftChainType Type, NftHook Hook, int Priority, bool DropByDefault = false)
{
    /// <summary>The devices of <see cref="NftHook.Ingress"/> and <see cref="NftHook.Egress"/>; empty for other hooks.</summary>
    public ImmutableArray<string> Devices { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(NftBaseChain? other) => other is not null && Type == other.Type && Hook == other.Hook && Priority == other.Priority
        && DropByDefault == other.DropByDefault && Devices.AsSpan().SequenceEqual(other.Devices.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Hook, Priority, DropByDefault, Devices.Length);
}

/// <summary>A chain of rules.</summary>
public sealed record NftChain(NftChainKey Key)
{
    /// <summary>Where the kernel calls the chain; null for a regular chain, which is only jumped to.</summary>
    public NftBaseChain? Base { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none. Kept by the kernel since Linux 5.10.</summary>
    public string? Comment { get; init; }

    /// <summary>Observed only: the chain is the block of a <c>jump { ... }</c>. It belongs to that rule, and cannot be added.</summary>
    public bool IsBlock { get; init; }

    /// <summary>Whether network devices evaluate the chain: <c>flags offload</c>.</summary>
    public bool Offload { get; init; }

    /// <summary>Attributes that this library does not know, as they are on the wire; written back as they are.</summary>
    public ImmutableArray<byte> Unknown { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(NftChain? other) => other is not null && Key == other.Key && Base == other.Base && Comment == other.Comment
        && IsBlock == other.IsBlock && Offload == other.Offload && Unknown.AsSpan().SequenceEqual(other.Unknown.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, Base, Comment);
}

/// <summary>The numbers of hooks on the wire, which depend on the family.</summary>
internal static class NftHooks
{
    private static readonly NftHook[] Arp = [NftHook.Input, NftHook.Output, NftHook.Forward]; // enum nf_arp_hooks
    private static readonly NftHook[] Netdev = [NftHook.Ingress, NftHook.Egress]; // enum nf_dev_hooks

    /// <summary>Null when the family has no such hook.</summary>
    public static uint? Number(NftFamily family, NftHook hook) => family switch
    {
        NftFamily.Arp => Index(Arp, hook),
        NftFamily.Netdev => Index(Netdev, hook),
        NftFamily.Inet => hook <= NftHook.Ingress ? (uint)hook : null,
        _ => hook <= NftHook.Postrouting ? (uint)hook : null,
    };

    public static NftHook Hook(NftFamily family, uint number) => family switch
    {
        NftFamily.Arp when number < Arp.Length => Arp[number],
        NftFamily.Netdev when number < Netdev.Length => Netdev[number],
        _ => (NftHook)number,
    };

    private static uint? Index(NftHook[] hooks, NftHook hook) => Array.IndexOf(hooks, hook) is >= 0 and var index ? (uint)index : null;
}
