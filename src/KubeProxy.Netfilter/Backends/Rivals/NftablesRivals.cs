using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Rivals;

/// <summary>Finds the rules of other modes in nf_tables, whoever wrote them. It costs a few small requests, however many rules there are.</summary>
/// <param name="families">The families.</param>
/// <param name="isIptables">
/// Whether the chains <c>KUBE-*</c> in the standard tables are the proxy's own, so that the tables <c>kube-proxy</c> are the rivals. All
/// other modes have these tables for their own.
/// </param>
/// <param name="connect">Opens the connection to the kernel; once for each search.</param>
public sealed class NftablesRivals(IReadOnlyList<IpFamily> families, bool isIptables, Func<INftables> connect) : IRivalSearch
{
    private const string Remedy = "Stop that kube-proxy, then restart this one: it removes the rules of other modes at its start.";

    // Where the rules of a kube-proxy begin that translate or refuse. All else that it has is reached from there, or only masquerades.
    private static readonly IptablesChain[] Entrances =
    [
        new(IptablesTable.Nat, "PREROUTING"), new(IptablesTable.Nat, "OUTPUT"),
        new(IptablesTable.Filter, "INPUT"), new(IptablesTable.Filter, "FORWARD"), new(IptablesTable.Filter, "OUTPUT"),
    ];

    /// <summary>Whether a change of somebody else's may have made or removed a rival.</summary>
    public static bool Concerns(NftChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return change.Kind switch
        {
            NftChangeKind.Own => false,
            NftChangeKind.Lost => true,
            _ => change.Tables.Contains(RuleParts.TableOf(IpFamily.IPv4)) || change.Tables.Contains(RuleParts.TableOf(IpFamily.IPv6))
                || change.Chains.Any(chain => Entrances.Any(entrance => entrance.Name == chain.Chain.Name)),
        };
    }

    /// <inheritdoc/>
    /// <exception cref="NftReadException">The kernel refused to tell what there is.</exception>
    public async Task<IReadOnlyList<Rival>> SearchAsync(CancellationToken cancellationToken)
    {
        await using var nftables = connect();
        var tables = (await nftables.ListTablesAsync(null, cancellationToken)).Select(table => table.Key).ToHashSet();
        if (!isIptables) return Make("iptables or ipvs", await JumpsAsync(nftables, tables, cancellationToken));
        var others = families.Select(RuleParts.TableOf).Where(tables.Contains);
        return Make("nftables, userspace or ipvs", [.. others.Select(table => $"table {(table.Family == NftFamily.Ip ? "ip" : "ip6")} {table.Name}")]);
    }

    private static IReadOnlyList<Rival> Make(string mode, IReadOnlyList<string> details) =>
        details.Count == 0 ? [] : [new Rival($"rules of a kube-proxy in {mode} mode", string.Join(", ", details), CanWin: true, Remedy)];

    private async Task<IReadOnlyList<string>> JumpsAsync(INftables nftables, HashSet<NftTableKey> tables, CancellationToken cancellationToken)
    {
        var jumps = new List<string>();
        foreach (var family in families)
        {
            foreach (var entrance in Entrances.Where(chain => tables.Contains(chain.Table.Key(family))))
                jumps.AddRange(await JumpsAsync(nftables, family, entrance, cancellationToken));
        }

        return jumps;
    }

    private static async Task<IReadOnlyList<string>> JumpsAsync(
        INftables nftables, IpFamily family, IptablesChain entrance, CancellationToken cancellationToken)
    {
        var tool = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
        var found = new HashSet<string>();
        var decoder = new IptablesRuleDecoder(family);
        try
        {
            await nftables.VisitRulesAsync(entrance.Table.Key(family), entrance.Name, (_, rule) =>
            {
                if (decoder.Decode(rule.Rule).JumpChain is { } to && Decides(new IptablesChain(entrance.Table, to)))
                    found.Add($"{tool} -t {entrance.Table.NftName()} {entrance.Name} leads to {to}");
            }, found.Clear, cancellationToken);
        }
        catch (NftReadException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return []; // There is no such chain (any more).
        }

        return [.. found.Order(StringComparer.Ordinal)];
    }

    // KUBE-FORWARD only accepts, and drops what belongs to no connection.
    private static bool Decides(IptablesChain chain) => chain.Name != ChainNames.Forward && IptablesCleanup.IsOfAnyMode(chain);
}
