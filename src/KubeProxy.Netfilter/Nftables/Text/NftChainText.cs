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

    private static readonly (int Priority, string Name, NftHook? Hook)[] OfBridges =
        [(-300, "dstnat", NftHook.Prerouting), (-200, "filter", null), (100, "out", NftHook.Output), (300, "srcnat", NftHook.Postrouting)];

    private static readonly (int Priority, string Name, NftHook? Hook)[] OfDevices = [(0, "filter", null)];

    public static string Table(NftTableKey table) => $"{table.Family.ToString().ToLowerInvariant()} {table.Name}";

    /// <summary>For example <c>type nat hook prerouting priority dstnat; policy accept;</c>.</summary>
    public static string Base(NftBaseChain chain, NftFamily family) =>
        $"type {chain.Type.ToString().ToLowerInvariant()} hook {chain.Hook.ToString().ToLowerInvariant()}{Devices(chain)} "
        + $"priority {Priority(chain, family)}; policy {(chain.DropByDefault ? "drop" : "accept")};";

    private static string Devices(NftBaseChain chain) => chain.Devices switch
    {
        [] => "",
        [var device] => $" device {NftValueText.Quoted(device)}",
        var devices => $" devices = {{ {string.Join(", ", devices.Order(StringComparer.Ordinal))} }}",
    };

    public static string Flags(NftTableFlags flags) => flags.ToString().ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal);

    private static string Priority(NftBaseChain chain, NftFamily family)
    {
        var named = family switch { NftFamily.Bridge => OfBridges, NftFamily.Arp or NftFamily.Netdev => OfDevices, _ => Named };
        foreach (var (priority, name, hook) in named)
        {
            var offset = (long)chain.Priority - priority;
            if (Math.Abs(offset) > NamedReach || (hook is { } only && only != chain.Hook)) continue;
            return offset == 0 ? name : string.Create(null, $"{name} {(offset < 0 ? '-' : '+')} {Math.Abs(offset)}");
        }

        return chain.Priority.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
