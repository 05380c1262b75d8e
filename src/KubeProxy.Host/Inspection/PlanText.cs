using KubeProxy.Host.Backends;
using KubeProxy.Ipvs;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Host.Inspection;

/// <summary>A part of what would be in force, in the words of one tool.</summary>
/// <param name="Tool">What loads it, such as <c>nft -f</c>.</param>
/// <param name="Text">Lines.</param>
internal readonly record struct PlanSection(string Tool, string Text);

/// <summary>What would be in force on an empty kernel, in the words of the tools that operators have.</summary>
internal static class PlanText
{
    /// <summary>The parts that there are.</summary>
    /// <param name="run">Over an empty kernel.</param>
    public static IReadOnlyList<PlanSection> Of(DryRun run)
    {
        var tables = NftTableDraft.Of(run.Nftables);
        var standard = IptablesTables.All.Select(table => table.Key(run.Family)).ToHashSet();
        return
        [
            .. Section("sysctl -p", run.Sysctls.Select(sysctl => $"{NameOf(sysctl.Path)} = {sysctl.Value}\n")),
            .. Section("ip", run.Routes.Select(command => command + "\n")),
            .. Section("ipvsadm -R", run.Ipvs.Select(operation => IpvsText.Of(operation) + "\n")),
            .. Section(
                run.Family == Core.Model.IpFamily.IPv4 ? "iptables-restore" : "ip6tables-restore",
                tables.Where(table => standard.Contains(table.Content.Table.Key)).Select(table => IptablesClient.Save(table.Content, run.Family))),
            .. Section("nft -f", tables.Where(table => !standard.Contains(table.Content.Table.Key)).Select(table => NftText.Of(table.Content, table.ElementsOf))),
        ];
    }

    /// <summary>The name of a sysctl.</summary>
    /// <param name="path">From the root: <c>proc/sys/net/ipv4/ip_forward</c>.</param>
    public static string NameOf(string path) => path["proc/sys/".Length..].Replace('/', '.');

    private static IEnumerable<PlanSection> Section(string tool, IEnumerable<string> texts) =>
        string.Concat(texts) is { Length: > 0 } text ? [new PlanSection(tool, text)] : [];
}
