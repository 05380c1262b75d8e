using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Migration;

/// <summary>Rules on the node that are not the proxy's.</summary>
internal static class FirewallChecks
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Finding> Run(MigrationContext context) =>
        [.. Forward(context), .. HealthChecks(context), .. ForeignJumps(context), .. Legacy(context), .. Invalid(context)];

    private static IEnumerable<Finding> Forward(MigrationContext context)
    {
        if (!context.Old.AcceptsBeforeHostRules || context.New.AcceptsBeforeHostRules || !context.Served.Any()) return [];
        return Refusing(
            context, HostChain.Forward, "forward-firewall",
            $"Packets of services were accepted before the host's own rules of chain FORWARD; in mode {context.After.Mode} these rules decide about them.",
            "Accept packets to and from the pods' blocks there (clusterCIDR), for example: -A FORWARD -d CLUSTER-CIDR -j ACCEPT and -A FORWARD -s CLUSTER-CIDR -j ACCEPT.",
            []);
    }

    private static IEnumerable<Finding> HealthChecks(MigrationContext context)
    {
        if (!context.Old.AcceptsHealthChecks || context.New.AcceptsHealthChecks) return [];
        var services = context.Cluster.Plans.Where(plan => plan.HealthCheckNodePort != 0).DistinctBy(plan => plan.Name.Service)
            .Select(plan => new FindingSubject(plan.Name.Service.ToString(), $"health check node port {plan.HealthCheckNodePort}/tcp")).ToList();
        if (services.Count == 0) return [];
        return Refusing(
            context, HostChain.Input, "health-check-firewall",
            $"Health check node ports were accepted before the host's own rules of chain INPUT; mode {context.After.Mode} opens nothing.",
            "Accept these ports there: load balancers take the node for unhealthy otherwise.", services);
    }

    private static IEnumerable<Finding> Refusing(
        MigrationContext context, string chain, string id, string summary, string advice, IReadOnlyList<FindingSubject> services)
    {
        if (!context.Node.HostChains.TryGet(out var chains))
        {
            yield return new Finding(id, FindingSeverity.Unknown, $"{summary} What they are cannot be read: {context.Node.HostChains.Problem}.", "Run this as root, on the node.");
            yield break;
        }

        var found = chains.Where(found => found.Chain == chain).Select(found => new FindingSubject(
            $"{found.Tool} -t filter {found.Chain}",
            string.Join(", ", new[] { found.DropsByPolicy ? "policy DROP" : "", found.Refusals > 0 ? $"rules that drop or reject: {found.Refusals}" : "" }.Where(text => text.Length > 0)))).ToList();
        if (found.Count > 0) yield return new Finding(id, FindingSeverity.Decide, summary, advice) { Subjects = [.. found, .. services] };
    }

    private static IEnumerable<Finding> ForeignJumps(MigrationContext context)
    {
        // In iptables mode the chains stay.
        if (context.New.Mode == Configuration.ProxyMode.Iptables) yield break;
        const string id = "foreign-jumps";
        if (!context.Node.ForeignJumps.TryGet(out var jumps))
            yield return new Finding(id, FindingSeverity.Unknown, $"Whether other software's rules lead to chains of kube-proxy cannot be read: {context.Node.ForeignJumps.Problem}.", "Run this as root, on the node.");
        else if (jumps.Length > 0)
        {
            yield return new Finding(
                id, FindingSeverity.Decide, "Rules of other software lead to chains of kube-proxy, which go with the mode, and the rules with them.",
                "Have that software masquerade by rules of its own.")
            { Subjects = [.. jumps.Select(rule => new FindingSubject(rule))] };
        }
    }

    private static IEnumerable<Finding> Legacy(MigrationContext context)
    {
        const string id = "legacy-rules";
        if (!context.Node.LegacyChains.TryGet(out var chains))
            yield return new Finding(id, FindingSeverity.Unknown, $"Whether a kube-proxy left rules of iptables-legacy cannot be read: {context.Node.LegacyChains.Problem}.", "Run this as root, on the node.");
        else if (chains.Length > 0)
        {
            yield return new Finding(
                id, FindingSeverity.Decide, "A kube-proxy wrote its rules with iptables-legacy. No mode of this program touches them, and they can win over its own.",
                "Stop that kube-proxy and remove them: iptables-legacy-save | grep -v KUBE- | iptables-legacy-restore, and the same with ip6tables-legacy; or restart the node.")
            { Subjects = [.. chains.Select(chain => new FindingSubject($"{chain.Table} {chain.Name}"))] };
        }
    }

    private static IEnumerable<Finding> Invalid(MigrationContext context)
    {
        if (!context.Old.DropsInvalid || context.New.DropsInvalid || context.Before.Source.Conntrack.TcpBeLiberal) yield break;
        yield return new Finding(
            "invalid-packets", FindingSeverity.Note,
            $"Forwarded packets that conntrack calls invalid were dropped; mode {context.After.Mode} lets them pass, and a late one can make a client's kernel reset its connection.",
            "conntrack.tcpBeLiberal: true has conntrack take such packets for part of their connection.");
    }
}
