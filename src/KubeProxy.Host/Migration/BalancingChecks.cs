using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;
using KubeProxy.Ipvs;

namespace KubeProxy.Host.Migration;

/// <summary>How connections are balanced and carried.</summary>
internal static class BalancingChecks
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Finding> Run(MigrationContext context) =>
    [
        .. Schedulers(context), .. Timeouts(context), .. Affinity(context), .. Connections(context), .. Sctp(context), .. Sources(context),
        .. Addresses(context), .. OtherPorts(context), .. Masquerading(context),
    ];

    private static IEnumerable<Finding> Schedulers(MigrationContext context)
    {
        if (context.Old.HasSchedulers == context.New.HasSchedulers) yield break;
        var ipvs = (context.Old.HasSchedulers ? context.Before : context.After).Source.Ipvs;
        var common = ipvs.Scheduler.Length > 0 ? ipvs.Scheduler : SchedulerNames.RoundRobin;
        string Of(ServicePortPlan plan) => plan.Scheduler ?? common;
        if (context.New.HasSchedulers)
        {
            var asked = context.Served.Where(plan => plan.Scheduler is not null).ToList();
            if (asked.Count > 0)
                yield return new Finding("schedulers", FindingSeverity.Note, "These services ask for a scheduler, which takes effect.") { Subjects = [.. MigrationContext.Ports(asked, Of)] };
            yield break;
        }

        var scheduled = context.Served.Where(plan => Of(plan) != SchedulerNames.RoundRobin).ToList();
        if (scheduled.Count > 0)
        {
            yield return new Finding(
                "schedulers", FindingSeverity.Decide, $"There are no schedulers in mode {context.After.Mode}: endpoints are chosen {Choice(context)}, with equal chances.",
                "What relied on the scheduler needs another way: least connections and weights a proxy of layer 7, hashes of sources session affinity.")
            { Subjects = [.. MigrationContext.Ports(scheduled, plan => $"scheduler {Of(plan)}")] };
        }
        else if (context.Served.Any())
        {
            yield return new Finding("schedulers", FindingSeverity.Note, $"Endpoints took turns (scheduler rr); in mode {context.After.Mode} they are chosen {Choice(context)}, with equal chances.");
        }
    }

    private static string Choice(MigrationContext context) => context.New.Relays ? "in turns" : "at random";

    private static IEnumerable<Finding> Timeouts(MigrationContext context)
    {
        var ipvs = context.Before.Source.Ipvs;
        (string Field, GoDuration Value)[] fields = [("ipvs.tcpTimeout", ipvs.TcpTimeout), ("ipvs.tcpFinTimeout", ipvs.TcpFinTimeout), ("ipvs.udpTimeout", ipvs.UdpTimeout)];
        var given = fields.Where(field => field.Value != GoDuration.Zero).ToList();
        if (context.Old.Mode != ProxyMode.Ipvs || given.Count == 0) yield break;
        yield return new Finding(
            "ipvs-timeouts", FindingSeverity.Decide, $"Timeouts of IPVS have no effect in mode {context.After.Mode}: idle connections live as long as conntrack remembers them.",
            "The counterparts are conntrack.tcpEstablishedTimeout, udpTimeout and udpStreamTimeout.")
        { Subjects = [.. given.Select(field => new FindingSubject(field.Field, field.Value.ToString()))] };
    }

    private static IEnumerable<Finding> Affinity(MigrationContext context)
    {
        var services = context.Served.Where(plan => plan.AffinityTimeout is not null).ToList();
        if (services.Count == 0) yield break;
        var details = (context.Old.Affinity, context.New.Affinity) switch
        {
            (AffinityMemory.Templates, _) => " From then on a client has one endpoint for all addresses of a service port, and not one for each address.",
            (_, AffinityMemory.Templates) => " From then on a client may have another endpoint for each address of a service port.",
            (AffinityMemory.Recent, _) => " From then on all clients are remembered, and not only the latest of each endpoint (100, unless module xt_recent was told otherwise).",
            (_, AffinityMemory.Recent) => " From then on only the latest clients of each endpoint are remembered (100, unless module xt_recent is told otherwise).",
            _ => "",
        };
        yield return new Finding(
            "session-affinity", FindingSeverity.Decide, "Clients with session affinity choose their endpoint anew, once, when the mode changes." + details,
            "Change the mode when sessions may be lost.")
        { Subjects = [.. MigrationContext.Ports(services, plan => $"timeout {plan.AffinityTimeout!.Value.TotalSeconds:0} s")] };
    }

    private static IEnumerable<Finding> Connections(MigrationContext context)
    {
        if (context.Old.ConnectionsOutliveIt || !context.Served.Any()) yield break;
        yield return new Finding(
            "connections", FindingSeverity.Decide,
            context.Old.Relays
                ? "Connections through services end when the process stops, because it carries them."
                : "Connections through services end when the virtual services are removed, after the first sync of the new mode.",
            "Drain the node first, or change the mode when clients may connect anew.");
    }

    private static IEnumerable<Finding> Sctp(MigrationContext context)
    {
        var services = context.Cluster.Plans.Where(plan => plan.Name.Protocol == Protocol.Sctp).ToList();
        if (!context.New.Relays || context.Old.Relays || services.Count == 0) yield break;
        yield return new Finding("sctp", FindingSeverity.Decide, "SCTP is not served in mode userspace.", "Choose another mode for these services.")
        { Subjects = [.. MigrationContext.Ports(services, _ => "")] };
    }

    private static IEnumerable<Finding> Sources(MigrationContext context)
    {
        if (context.Old.Relays == context.New.Relays || !context.Served.Any()) yield break;
        yield return new Finding(
            "source-addresses", FindingSeverity.Decide,
            context.New.Relays
                ? "Endpoints see this node as the source of every connection through a service, and not the client."
                : "Endpoints see the client as the source of connections through a service, unless these are masqueraded.",
            "Look at NetworkPolicies and at what endpoints make of addresses.");
    }

    private static IEnumerable<Finding> Addresses(MigrationContext context)
    {
        if (context.Old.AddressesAreLocal == context.New.AddressesAreLocal) yield break;
        if (!context.New.AddressesAreLocal)
        {
            yield return new Finding(
                "local-addresses", FindingSeverity.Note,
                $"Service addresses were addresses of the node (kube-ipvs0): they answered a ping, and were announced by software that announces the node's addresses. In mode {context.After.Mode} they are not.");
            yield break;
        }

        var balanced = context.Cluster.Plans.Where(plan => plan.Frontends.Any(frontend => frontend.Kind == FrontendKind.LoadBalancerIP)).ToList();
        var answers = balanced.Count > 0 && !context.After.Source.Ipvs.StrictARP;
        yield return new Finding(
            "local-addresses", answers ? FindingSeverity.Decide : FindingSeverity.Note,
            "Service addresses become addresses of the node (kube-ipvs0): they answer a ping"
            + (answers ? ", and without ipvs.strictARP every node answers ARP for load-balancer IPs." : "."),
            answers ? "Set ipvs.strictARP: true, if the load balancer announces addresses by ARP (MetalLB in layer 2 mode, kube-vip)." : "")
        { Subjects = answers ? [.. MigrationContext.Ports(balanced, Ips)] : [] };

        static string Ips(ServicePortPlan plan) =>
            string.Join(", ", plan.Frontends.Where(frontend => frontend.Kind == FrontendKind.LoadBalancerIP).Select(frontend => frontend.Key.Address.ToString()));
    }

    private static IEnumerable<Finding> OtherPorts(MigrationContext context)
    {
        if (context.Old.RefusesOtherPorts == context.New.RefusesOtherPorts) yield break;
        yield return new Finding(
            "other-ports", FindingSeverity.Note,
            context.New.RefusesOtherPorts
                ? "Connections to a cluster IP on a port that no service has are refused at once, and those to cluster IPs that nobody has are dropped."
                : "Connections to a cluster IP on a port that no service has, and to cluster IPs that nobody has, are routed on, and mostly time out.");
    }

    private static IEnumerable<Finding> Masquerading(MigrationContext context)
    {
        if (context.Before.MasqueradeAll != context.After.MasqueradeAll)
        {
            yield return new Finding(
                "masquerade-all", FindingSeverity.Decide,
                $"masqueradeAll is {Words(context.Before)} in the section of mode {context.Before.Mode} and {Words(context.After)} in that of mode {context.After.Mode}: "
                + $"pods' connections to cluster IPs are {(context.After.MasqueradeAll ? "all" : "no longer all")} masqueraded.",
                "Set it in the section of the new mode.");
        }

        if (context.Before.MasqueradeBit != context.After.MasqueradeBit)
        {
            yield return new Finding(
                "masquerade-bit", FindingSeverity.Decide, $"Packets to be masqueraded have bit {context.After.MasqueradeBit} of the mark, and no longer bit {context.Before.MasqueradeBit}.",
                "Look whether other software uses that bit.");
        }

        static string Words(EffectiveConfiguration configuration) => configuration.MasqueradeAll ? "true" : "false";
    }
}
