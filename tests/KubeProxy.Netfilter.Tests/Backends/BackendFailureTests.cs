using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Conntrack;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>What an operator is told when the backend cannot do its work, and that nothing is forgotten meanwhile.</summary>
public sealed class BackendFailureTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "kube-proxy");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Table_of_somebody_else_is_named_and_taken_when_it_is_free()
    {
        var nftables = new InMemoryNftables();
        await nftables.CommitAsync(new NftTransaction().Add(new NftTable(Table) { Flags = NftTableFlags.Owner }), Cancel);
        var commits = nftables.Counts.Commits;
        await using var harness = await BackendHarness.StartAsync(nftables);
        var refused = await Assert.ThrowsAnyAsync<ProxyBackendException>(() => harness.FirstSyncAsync(Plans.EveryKind()));
        Assert.Contains("'ip kube-proxy' is owned by another process", refused.Message, StringComparison.Ordinal);
        Assert.Contains("End that process", refused.Message, StringComparison.Ordinal);
        Assert.Equal(commits, nftables.Counts.Commits);

        await nftables.CommitAsync(new NftTransaction().Delete(Table), Cancel);
        await harness.Backend.SyncAsync(PlanChanges.None, Cancel);
        await using var scratch = await BackendHarness.StartAsync();
        await scratch.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal(scratch.Nftables.Dump(), nftables.Dump());
    }

    [Theory]
    [InlineData(Errno.NoSuchEntry)]
    [InlineData(Errno.NotSupported)]
    public async Task Missing_kernel_feature_is_named_with_its_option_and_module(int errno)
    {
        var kernel = new KernelWithoutFib(errno);
        await using var client = new NftablesClient(new NetlinkChannel(new ScriptedNetlinkTransport(kernel.Answer)));
        await using var backend = new NftablesBackend(
            new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = BackendHarness.Policy },
            new NftablesBackendParts { Nftables = client, Routes = new InMemoryRoute(), Conntrack = new InMemoryConntrack() },
            NullLogger<NftablesBackend>.Instance);
        await backend.StartAsync(_ => { }, Cancel);
        var refused = await Assert.ThrowsAsync<ProxyBackendException>(
            () => backend.SyncAsync(new PlanChanges { Node = Plans.Node() }, Cancel));
        Assert.Contains("CONFIG_NFT_FIB_IPV4 (module nft_fib_ipv4)", refused.Message, StringComparison.Ordinal);
        Assert.Contains("fib ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cali-", true)]
    [InlineData("a-bridge-of-15b", true)]
    [InlineData("br0", false)]
    [InlineData("a-bridge-of-15b", false)]
    public async Task Pods_can_be_recognised_by_interfaces_of_any_valid_name(string name, bool isPrefix)
    {
        LocalTrafficDetector detector = isPrefix ? new LocalTrafficDetector.InterfacePrefix(name) : new LocalTrafficDetector.Bridge(name);
        var options = new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = new MasqueradePolicy { LocalDetector = detector } };
        await using var harness = await BackendHarness.StartAsync(options: options);
        await harness.FirstSyncAsync(Plans.EveryKind());
        var dump = harness.Nftables.Dump();
        Assert.Contains($"iifname != \"{name}{(isPrefix ? "*" : "")}\"", dump, StringComparison.Ordinal);
        Assert.Contains($"iifname \"{name}{(isPrefix ? "*" : "")}\"", dump, StringComparison.Ordinal);

        // What is written reads back as the same.
        await using var restarted = await BackendHarness.StartAsync(harness.Nftables, options);
        Assert.Equal(0, (await restarted.FirstSyncAsync(Plans.EveryKind())).Operations);
    }

    [Fact]
    public void Names_that_no_interface_can_have_are_refused_where_they_are_given()
    {
        foreach (var name in (string[])["", "a-name-too-long-", "a b", "a/b", "a:b"])
        {
            Assert.Throws<ArgumentException>(() => new LocalTrafficDetector.Bridge(name));
            Assert.Throws<ArgumentException>(() => new LocalTrafficDetector.InterfacePrefix(name));
        }
    }

    [Fact]
    public void A_refusal_of_our_own_is_not_called_the_kernels()
    {
        var rule = new NftRule(new NftPrefixMatch(new NftMeta(NftMetaKey.Iifname), NftOperator.Equal, new NftConstant(NftDataType.Ifname, new NftData("cali"u8.ToArray())), 32));
        var client = new NftablesClient(new NetlinkChannel(new ScriptedNetlinkTransport(_ => throw new InvalidOperationException("Nothing is to be sent."))));
        var refused = Assert.Throws<NftTransactionException>(() => client.Prepare(new NftTransaction().Add(new NftChainKey(Table, "services"), rule)));
        var failure = Assert.Single(refused.Failures);
        Assert.True(failure.IsOwnCheck);
        Assert.StartsWith("the transaction is not valid and was not sent: ", refused.Message, StringComparison.Ordinal);
        Assert.Equal("not valid, and not sent to the kernel (iifname \"cali*\": the constant does not have the length of its type)", NftErrorText.For(failure));
    }

    [Fact]
    public async Task Flows_of_a_sync_that_failed_are_deleted_by_the_one_that_succeeds()
    {
        using var conntrack = new InMemoryConntrack();
        await using var harness = await BackendHarness.StartAsync(conntrack: conntrack);
        await harness.FirstSyncAsync(Dns("10.244.0.1:5353"));
        conntrack.Add(FlowMessages.Udp("10.0.0.1:4000", "10.96.0.10:53", "10.244.0.1:5353"));

        harness.Nftables.Refuse = (operation, _) => operation is NftOperation.AddElements or NftOperation.DeleteElements ? 12 : 0;
        var remove = new PlanChanges { Removed = [Dns().Name] };
        await Assert.ThrowsAsync<ProxyBackendException>(() => harness.Backend.SyncAsync(remove, Cancel));
        Assert.Single(conntrack.Flows);

        harness.Nftables.Refuse = null;
        var result = await harness.Backend.SyncAsync(PlanChanges.None, Cancel);
        Assert.Equal(1, result.DeletedFlows);
        Assert.Empty(conntrack.Flows);
    }

    [Fact]
    public async Task Flows_that_could_not_be_read_are_deleted_by_the_next_sync()
    {
        using var conntrack = new FailingConntrack();
        await using var harness = await BackendHarness.StartAsync(conntrack: conntrack);
        await harness.FirstSyncAsync(Dns("10.244.0.1:5353"));
        conntrack.Table.Add(FlowMessages.Udp("10.0.0.1:4000", "10.96.0.10:53", "10.244.0.1:5353"));
        conntrack.Fails = true;
        Assert.Equal(0, (await harness.SyncAsync(Dns("10.244.0.2:5353"))).DeletedFlows);
        conntrack.Fails = false;
        Assert.Equal(1, (await harness.SyncAsync()).DeletedFlows);
        var dumps = conntrack.Table.Dumps;
        Assert.Equal(0, (await harness.SyncAsync()).DeletedFlows);
        Assert.Equal(dumps, conntrack.Table.Dumps);
    }

    [Fact]
    public async Task Tcp_connections_are_looked_at_when_a_frontend_begins_to_lead_somewhere_and_only_then()
    {
        var conntrack = new InMemoryConntrack();
        await using var harness = await BackendHarness.StartAsync(conntrack: conntrack);
        await harness.FirstSyncAsync();
        Assert.Equal(0, conntrack.Dumps);
        var flow = FlowMessages.Udp("10.0.0.1:4000", "10.96.0.10:80");
        flow = flow with { Original = flow.Original with { Protocol = Protocol.Tcp }, Reply = flow.Reply with { Protocol = Protocol.Tcp } };

        conntrack.Add(flow);
        Assert.Equal((0, 0), await SyncAsync()); // Refused.
        Assert.Equal((1, 1), await SyncAsync(1));
        conntrack.Add(flow);
        Assert.Equal((0, 0), await SyncAsync(1, 2));
        Assert.Equal((0, 0), await SyncAsync(2));
        Assert.Equal((0, 0), await SyncAsync());
        Assert.Equal((1, 1), await SyncAsync(2));

        async Task<(int Deleted, int Dumps)> SyncAsync(params int[] pods)
        {
            var before = conntrack.Dumps;
            var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", pods));
            return (result.DeletedFlows, conntrack.Dumps - before);
        }
    }

    private static ServicePortPlan Dns(params string[] endpoints)
    {
        ImmutableArray<IpEndpoint> all = [.. endpoints.Select(FlowMessages.Endpoint)];
        return new ServicePortPlan
        {
            Name = Plans.Name("dns", Protocol.Udp),
            Family = IpFamily.IPv4,
            Frontends = [Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.10", 53, all.IsEmpty ? Destination.Reject : Destination.ClusterEndpoints, Protocol.Udp)],
            ClusterEndpoints = all,
            ServingEndpoints = all,
        };
    }

    /// <summary>Connection tracking that sometimes cannot be read.</summary>
    private sealed class FailingConntrack : IConntrack
    {
        public InMemoryConntrack Table { get; } = new();

        public bool Fails { get; set; }

        public Task VisitAsync(FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default) =>
            Fails ? Task.FromException(new NetlinkException("dump flows", Errno.NoBufferSpace)) : Table.VisitAsync(filter, visit, restart, cancellationToken);

        public Task<Flow?> FindAsync(FlowTuple original, CancellationToken cancellationToken = default) => Table.FindAsync(original, cancellationToken);

        public Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default) => Table.FindByReplyAsync(reply, cancellationToken);

        public Task CreateAsync(Flow flow, CancellationToken cancellationToken = default) => Table.CreateAsync(flow, cancellationToken);

        public Task UpdateAsync(Flow flow, FlowChange change, CancellationToken cancellationToken = default) => Table.UpdateAsync(flow, change, cancellationToken);

        public Task FlushAsync(IpFamily? family = null, CancellationToken cancellationToken = default) => Table.FlushAsync(family, cancellationToken);

        public Task<ConntrackUsage> CountAsync(CancellationToken cancellationToken = default) => Table.CountAsync(cancellationToken);

        public Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default) => Table.DeleteAsync(flows, cancellationToken);

        public void Dispose() => Table.Dispose();
    }

    /// <summary>An empty ruleset, and a kernel that does not know the fib expression.</summary>
    private sealed class KernelWithoutFib(int errno)
    {
        private static readonly ushort GetGeneration = NfNetlink.MessageType(NfSubsystem.Nftables, (byte)NftMessage.GetGen);

        public IEnumerable<byte[]> Answer(byte[] datagram)
        {
            var headers = ScriptedReply.Headers(datagram);
            if (headers[0].Type == GetGeneration) return [Generation(headers[0]), ScriptedReply.Ack(headers[0])];
            if (headers.Count == 1) return [ScriptedReply.Done(headers[0].Sequence)];
            var refused = new List<byte[]>();
            foreach (var message in new NlMessages(datagram))
            {
                if (message.Bytes.IndexOf("fib\0"u8) >= 0) refused.Add(ScriptedReply.Error(message.Header, errno));
            }

            return [.. refused, ScriptedReply.Ack(headers[^2])];
        }

        private static byte[] Generation(NlMsgHeader request)
        {
            using var writer = new NlMsgWriter();
            writer.BeginMessage(NfSubsystem.Nftables, (byte)NftMessage.NewGen, NlMsgFlags.None, 0);
            writer.PutU32BigEndian(GenerationAttribute.Id, 1);
            return ScriptedReply.Messages(request.Sequence, writer);
        }
    }
}
