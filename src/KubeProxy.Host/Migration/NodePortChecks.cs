using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Migration;

/// <summary>Node ports: on which addresses of the node they are open.</summary>
internal static class NodePortChecks
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Finding> Run(MigrationContext context) => [.. Loopback(context), .. Closed(context), .. Opened(context)];

    private static IEnumerable<Finding> Loopback(MigrationContext context)
    {
        var ports = context.Cluster.NodePorts.Where(port => IsOpen(context.Before, port) && !IsOpen(context.After, port)).ToList();
        if (ports.Count == 0) yield break;
        var counted = context.Node.LoopbackPackets.TryGet(out var packets);
        var tracked = context.Node.Connections.TryGet(out var connections) && ports.Any(port => connections.Any(entry => IsOnLoopback(entry.Key, port.Frontend)));
        // A counter that stands at zero has counted since the rules were made.
        var isUnused = counted && packets == 0 && !tracked;
        var use = counted && packets is { } count ? $" Connections to them since the counter was made: {count}." : "";
        yield return new Finding(
            "localhost-node-ports", isUnused ? FindingSeverity.Note : FindingSeverity.Decide,
            $"Node ports are not open on loopback addresses (127.0.0.1) in mode {context.After.Mode}.{use}",
            "Have local clients use another address of the node, or the cluster IP; in nftables mode, TCP is served there with nodePortAddresses "
            + "[primary, localhost] and the feature gate KubeProxyNFTablesLocalhostNodePorts.")
        {
            Subjects = [.. ports.Select(port => Subject(port, context.InUse(IpAddr.Parse(port.Plan.Family == IpFamily.IPv4 ? "127.0.0.1" : "::1"), port.Frontend)))],
        };

        static bool IsOpen(Configuration.EffectiveConfiguration configuration, (ServicePortPlan Plan, Frontend Frontend) port) =>
            LoopbackNodePorts.AreOpen(configuration, port.Plan.Family, port.Frontend.Key.Protocol);

        static bool IsOnLoopback(NodePortAddress address, Frontend frontend) =>
            address.Address.IsLoopback && address.Protocol == frontend.Key.Protocol && address.Port == frontend.Key.Port;
    }

    private static IEnumerable<Finding> Closed(MigrationContext context)
    {
        var addresses = Difference(context, context.Cluster.Before, context.Cluster.After);
        var subjects = Subjects(context, addresses).ToList();
        if (subjects.Count == 0) yield break;
        yield return new Finding(
            "node-port-addresses-closed", FindingSeverity.Decide,
            $"Node ports are no longer open on these addresses of the node: nodePortAddresses is {Words(context.After)} in mode {context.After.Mode}.",
            "Set nodePortAddresses to what is needed: \"all\" is every address, as in the other modes.")
        { Subjects = [.. subjects] };
    }

    private static IEnumerable<Finding> Opened(MigrationContext context)
    {
        var addresses = Difference(context, context.Cluster.After, context.Cluster.Before);
        var subjects = Subjects(context, addresses).ToList();
        if (subjects.Count == 0) yield break;
        yield return new Finding(
            "node-port-addresses-opened", FindingSeverity.Decide,
            $"Node ports become open on these addresses of the node too: nodePortAddresses is {Words(context.After)} in mode {context.After.Mode}.",
            "Set nodePortAddresses to [primary] to have them on the node's own address only.")
        { Subjects = [.. subjects] };
    }

    private static List<IpAddr> Difference(MigrationContext context, IEnumerable<NodePlan> open, IEnumerable<NodePlan> closed) =>
    [
        .. context.Node.Addresses.Where(address => !address.IsLoopback && !address.IsLinkLocal
            && MigrationContext.OfFamily(open, address.Family).OpensNodePortsOn(address)
            && !MigrationContext.OfFamily(closed, address.Family).OpensNodePortsOn(address)),
    ];

    // One line for each address and node port is what a client uses.
    private static IEnumerable<FindingSubject> Subjects(MigrationContext context, List<IpAddr> addresses) =>
        from port in context.Cluster.NodePorts
        from address in addresses
        where address.Family == port.Plan.Family
        select Subject(port, string.Join(", ", new[] { $"on {address}", context.InUse(address, port.Frontend) }.Where(text => text.Length > 0)));

    private static FindingSubject Subject((ServicePortPlan Plan, Frontend Frontend) port, string detail) =>
        new(port.Plan.Name.ToString(), detail.Length == 0 ? port.Frontend.Key.ToString() : $"{port.Frontend.Key}, {detail}");

    private static string Words(Configuration.EffectiveConfiguration configuration) =>
        configuration.Source.NodePortAddresses.Count == 0 ? "not given, which is every address" : $"[{string.Join(", ", configuration.Source.NodePortAddresses)}]";
}
