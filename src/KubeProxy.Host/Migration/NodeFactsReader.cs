using System.Collections.Immutable;
using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Host.Node;
using KubeProxy.Ipvs;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Legacy;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;

namespace KubeProxy.Host.Migration;

/// <summary>Reads the node's side from the kernel. Writes nothing.</summary>
internal static class NodeFactsReader
{
    // The name that the iptables mode of every kube-proxy gives its counter.
    private const string LoopbackCounter = "localhost_nps_accepted_pkts";

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>Reads all of it, in the network namespace of the calling thread. What cannot be read is unknown, with the reason.</summary>
    /// <param name="request">What of the node matters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<NodeFacts> ReadAsync(NodeFactsRequest request, CancellationToken cancellationToken)
    {
        var addresses = InterfaceAddresses.List();
        // Sockets belong to the namespace of the thread that opens them, so all are opened before the first wait.
        var legacy = Try("iptables-legacy", () => (ImmutableArray<LegacyChain>)[.. Families.SelectMany(family => LegacyTables.ReadChains(family)).Where(IsOfProxy)]);
        var rules = Try("nf_tables", () => NftablesClient.Open());
        var accounting = Try("nfacct", AccountingClient.Open);
        var conntrack = Try("conntrack", () => ConntrackClient.Open());
        var ipvs = Try("ipvs", () => IpvsClient.Open());
        try
        {
            return new NodeFacts
            {
                Kernel = Environment.OSVersion.Version,
                Addresses = addresses,
                HostChains = await With(rules, "nf_tables", client => ReadHostChainsAsync(client, cancellationToken)),
                ForeignJumps = await With(rules, "nf_tables", client => ReadForeignJumpsAsync(client, cancellationToken)),
                LegacyChains = legacy,
                HasIpvs = await With(ipvs, "ipvs", async client => request.AsksForIpvs && await HasIpvsAsync(client, cancellationToken)),
                LoopbackPackets = await With(accounting, "nfacct", async client => (await client.ReadAsync(LoopbackCounter, cancellationToken))?.Packets),
                Connections = await With(conntrack, "conntrack", client => ReadConnectionsAsync(client, request.NodePorts, addresses, cancellationToken)),
            };
        }
        finally
        {
            if (rules.TryGet(out var nftables)) await nftables.DisposeAsync();
            foreach (var opened in new[] { Opened(accounting), Opened(conntrack), Opened(ipvs) }) opened?.Dispose();
        }
    }

    private static async Task<ImmutableArray<HostChain>> ReadHostChainsAsync(NftablesClient client, CancellationToken cancellationToken)
    {
        var found = ImmutableArray.CreateBuilder<HostChain>();
        foreach (var family in Families)
        {
            var filter = await new IptablesClient(client, family).ReadAsync(IptablesTable.Filter, cancellationToken);
            foreach (var chain in new[] { HostChain.Forward, HostChain.Input })
                if (HostFirewall.Refusals(family, chain, filter) is { } refusals) found.Add(refusals);
        }

        return found.ToImmutable();
    }

    private static async Task<ImmutableArray<string>> ReadForeignJumpsAsync(NftablesClient client, CancellationToken cancellationToken)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        foreach (var family in Families)
        {
            foreach (var table in IptablesTables.All)
                found.AddRange(HostFirewall.ForeignJumps(family, table, await new IptablesClient(client, family).ReadAsync(table, cancellationToken)));
        }

        return found.ToImmutable();
    }

    private static async Task<bool> HasIpvsAsync(IpvsClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetInfoAsync(cancellationToken);
            return true;
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return false; // There is no such family of generic netlink.
        }
    }

    private static async Task<ImmutableDictionary<NodePortAddress, int>> ReadConnectionsAsync(
        ConntrackClient client, IReadOnlySet<(Protocol Protocol, ushort Port)> nodePorts, IReadOnlyList<IpAddr> addresses, CancellationToken cancellationToken)
    {
        var (own, counts) = (addresses.ToHashSet(), new Dictionary<NodePortAddress, int>());
        if (nodePorts.Count == 0) return [];
        await client.VisitAsync(FlowFilter.All, Visit, counts.Clear, cancellationToken);
        return counts.ToImmutableDictionary();

        void Visit(in Flow flow)
        {
            var (to, protocol) = (flow.OriginalDestination, flow.Original.Protocol);
            if (!nodePorts.Contains((protocol, to.Port)) || !flow.IsDestinationTranslated || !(to.Address.IsLoopback || own.Contains(to.Address))) return;
            var key = new NodePortAddress(to.Address, protocol, to.Port);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }
    }

    private static bool IsOfProxy(LegacyChain chain) =>
        IptablesTables.All.Any(table => table.NftName() == chain.Table && IptablesCleanup.IsOfAnyMode(new IptablesChain(table, chain.Name)));

    private static IDisposable? Opened<T>(Fact<T> client) where T : IDisposable => client.TryGet(out var opened) ? opened : null;

    private static Fact<T> Try<T>(string subject, Func<T> open)
    {
        try
        {
            return new Fact<T>(open());
        }
        catch (Exception problem) when (IsOfKernel(problem))
        {
            return Fact<T>.Unknown($"{subject}: {problem.Message}");
        }
    }

    private static async Task<Fact<TResult>> With<TClient, TResult>(Fact<TClient> client, string subject, Func<TClient, Task<TResult>> read)
    {
        if (!client.TryGet(out var opened)) return Fact<TResult>.Unknown(client.Problem!);
        try
        {
            return new Fact<TResult>(await read(opened));
        }
        catch (Exception problem) when (IsOfKernel(problem))
        {
            return Fact<TResult>.Unknown($"{subject}: {problem.Message}");
        }
    }

    private static bool IsOfKernel(Exception problem) => problem is NetlinkException or NetlinkFormatException or NftReadException or NftUnknownOutcomeException or SocketException;
}
