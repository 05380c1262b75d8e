namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Tables and chains as nft prints them.</summary>
internal static class NftChainText
{
    // nft names priorities that are at most this far from a named one.
    private const int NamedReach = 10;

    private static readonly (int Priority, string Name, NftHook? Hook)[] Named =
    [
        (-300, "raw", null), (-150, "mangle", null), (-100, "dstnat", NftHook.Prerouting), (0, "filter", null),
        (50, "security", null), (100, "srcnat", NftHook.Postrouting),
    ];

    public static string Table(NftTableKey table) => $"{table.Family.ToString().ToLowerInvariant()} {table.Name}";

    /// <summary>For example <c>type nat hook prerouting priority dstnat; policy accept;</c>.</summary>
    public static string Base(NftBaseChain chain) =>
        $"type {chain.Type.ToString().ToLowerInvariant()} hook {chain.Hook.ToString().ToLowerInvariant()} "
        + $"priority {Priority(chain)}; policy {(chain.DropByDefault ? "drop" : "accept")};";

    public static string Flags(NftTableFlags flags) => flags.ToString().ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal);

    private static string Priority(NftBaseChain chain)
    {
        foreach (var (priority, name, hook) in Named)
        {
            var offset = (long)chain.Priority - priority;
            if (Math.Abs(offset) > NamedReach || (hook is { } only && only != chain.Hook)) continue;
            return offset == 0 ? name : string.Create(null, $"{name} {(offset < 0 ? '-' : '+')} {Math.Abs(offset)}");
        }

        return chain.Priority.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
