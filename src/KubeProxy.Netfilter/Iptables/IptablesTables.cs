using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A standard table of iptables.</summary>
public enum IptablesTable : byte
{
    /// <summary>filter.</summary>
    Filter,

    /// <summary>nat.</summary>
    Nat,

    /// <summary>mangle.</summary>
    Mangle,

    /// <summary>raw: before connection tracking.</summary>
    Raw,

    /// <summary>security: mandatory access control, after filter.</summary>
    Security,
}

/// <summary>A chain of a standard table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">The name; at most 28 bytes, which is what iptables takes.</param>
public readonly record struct IptablesChain(IptablesTable Table, string Name)
{
    /// <summary>For example <c>nat KUBE-SERVICES</c>.</summary>
    public override string ToString() => $"{Table.NftName()} {Name}";
}

/// <summary>
/// The standard tables and base chains as nf_tables objects: those that iptables-nft recognises as its own (by names, types,
/// hooks and priorities).
/// </summary>
public static class IptablesTables
{
    /// <summary>The standard tables.</summary>
    public static ImmutableArray<IptablesTable> All { get; } = 
    [
        IptablesTable.Filter, IptablesTable.Nat, IptablesTable.Mangle, IptablesTable.Raw, IptablesTable.Security,
    ];

    /// <summary>The name, in lower case.</summary>
    public static string NftName(this IptablesTable table) => table switch
    {
        IptablesTable.Filter => "filter",
        IptablesTable.Nat => "nat",
        IptablesTable.Mangle => "mangle",
        IptablesTable.Raw => "raw",
        IptablesTable.Security => "security",
        _ => throw new ArgumentOutOfRangeException(nameof(table), table, "Not a standard table."),
    };

    /// <summary>The nf_tables table.</summary>
    public static NftTableKey Key(this IptablesTable table, IpFamily family) =>
        new(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, table.NftName());

    /// <summary>The nf_tables chain.</summary>
    public static NftChainKey Key(this IptablesChain chain, IpFamily family) => new(chain.Table.Key(family), chain.Name);

    /// <summary>The chain with its hook, when it is a standard one; a user chain otherwise.</summary>
    public static NftChain Definition(this IptablesChain chain, IpFamily family) => new(chain.Key(family)) { Base = BaseOf(chain) };

    /// <summary>Whether the chain is one of the standard ones, which have a hook.</summary>
    public static bool IsStandard(this IptablesChain chain) => BaseOf(chain) is not null;

    // The priorities are those of enum nf_ip_hook_priorities in linux/netfilter_ipv4.h.
    private static NftBaseChain? BaseOf(IptablesChain chain) => (chain.Table, chain.Name) switch
    {
        (IptablesTable.Filter, "INPUT") => new(NftChainType.Filter, NftHook.Input, 0),
        (IptablesTable.Filter, "FORWARD") => new(NftChainType.Filter, NftHook.Forward, 0),
        (IptablesTable.Filter, "OUTPUT") => new(NftChainType.Filter, NftHook.Output, 0),
        (IptablesTable.Nat, "PREROUTING") => new(NftChainType.Nat, NftHook.Prerouting, -100),
        (IptablesTable.Nat, "INPUT") => new(NftChainType.Nat, NftHook.Input, 100),
        (IptablesTable.Nat, "OUTPUT") => new(NftChainType.Nat, NftHook.Output, -100),
        (IptablesTable.Nat, "POSTROUTING") => new(NftChainType.Nat, NftHook.Postrouting, 100),
        (IptablesTable.Mangle, "PREROUTING") => new(NftChainType.Filter, NftHook.Prerouting, -150),
        (IptablesTable.Mangle, "INPUT") => new(NftChainType.Filter, NftHook.Input, -150),
        (IptablesTable.Mangle, "FORWARD") => new(NftChainType.Filter, NftHook.Forward, -150),
        (IptablesTable.Mangle, "OUTPUT") => new(NftChainType.Route, NftHook.Output, -150),
        (IptablesTable.Mangle, "POSTROUTING") => new(NftChainType.Filter, NftHook.Postrouting, -150),
        (IptablesTable.Raw, "PREROUTING") => new(NftChainType.Filter, NftHook.Prerouting, -300),
        (IptablesTable.Raw, "OUTPUT") => new(NftChainType.Filter, NftHook.Output, -300),
        (IptablesTable.Security, "INPUT") => new(NftChainType.Filter, NftHook.Input, 50),
        (IptablesTable.Security, "FORWARD") => new(NftChainType.Filter, NftHook.Forward, 50),
        (IptablesTable.Security, "OUTPUT") => new(NftChainType.Filter, NftHook.Output, 50),
        _ => null,
    };
}
