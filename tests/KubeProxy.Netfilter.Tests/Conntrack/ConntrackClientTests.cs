using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Conntrack;

public sealed class ConntrackClientTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Decoding_gives_back_what_was_encoded()
    {
        var addresses = Gen.OneOf(
            Gen.Choose(1, int.MaxValue).Select(number => (number % 2 == 0) ? IpFamily.IPv4 : IpFamily.IPv6));
        var flows =
            from family in addresses
            from parts in Gen.ArrayOf(Gen.Choose(1, int.MaxValue), 12)
            let address = new Func<int, IpAddr>(i => IpAddr.FromValue(family,
                family == IpFamily.IPv4 ? (uint)parts[i] : new UInt128(0xFD00_0000_0000_0000, (ulong)parts[i])))
            let protocol = (Protocol)(byte)parts[4]
            select new Flow(
                new FlowTuple(protocol, address(0), address(1), (ushort)parts[5], (ushort)parts[6]),
                new FlowTuple(protocol, address(2), address(3), (ushort)parts[7], (ushort)parts[8]),
                (FlowStatus)parts[9], (ushort)parts[10], (uint)parts[11], (uint)parts[0]);

        Prop.ForAll(flows.ToArbitrary(), flow =>
        {
            using var writer = new NlMsgWriter();
            FlowMessages.Put(writer, flow);
            Flow? decoded = null;
            foreach (var message in new NlMessages(writer.ToArray())) decoded = FlowDecoder.Decode(message);
            return decoded == flow;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void All_that_a_flow_can_have_is_decoded()
    {
        var flow = FlowMessages.Full();
        Assert.Equal(flow, Decoded(flow));
        var ping = new FlowTuple(FlowProtocols.Icmpv6, IpAddr.Parse("fd00::1"), IpAddr.Parse("fd00::2"), 0, 0) { Icmp = new FlowIcmp(77, 128, 1) };
        flow = new Flow(ping, ping.Reverse(), FlowStatus.Confirmed, 0, 0, 1);
        Assert.Equal(flow, Decoded(flow));
        Assert.Equal(new FlowIcmp(77, 129, 1), flow.Reply.Icmp);
        Assert.Null(Decoded(flow).Details);
    }

    [Fact]
    public void Decoding_an_ordinary_flow_allocates_nothing()
    {
        using var writer = new NlMsgWriter();
        FlowMessages.Put(writer, FlowMessages.Full() with { Details = null });
        var bytes = writer.ToArray();
        Decode(bytes); // compiled before it is measured
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Decode(bytes);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Decode(byte[] bytes)
        {
            foreach (var message in new NlMessages(bytes)) FlowDecoder.Decode(message);
        }
    }

    [Fact]
    public async Task A_filter_that_is_an_invalid_argument_says_nothing_about_others()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            var request = ScriptedReply.Headers(sent)[0];
            return [request.Length > 20 ? ScriptedReply.Error(request, Errno.InvalidArgument) : ScriptedReply.Done(request.Sequence)];
        });
        using var client = new ConntrackClient(new NetlinkChannel(transport));
        var filter = new FlowFilter { Family = IpFamily.IPv4, Protocol = FlowProtocols.Icmp, IcmpType = 3 };

        await client.VisitAsync(filter, (in Flow _) => { }, cancellationToken: Ct);
        await client.VisitAsync(filter, (in Flow _) => { }, cancellationToken: Ct);

        Assert.Equal([true, false, true, false], transport.Sent.Select(sent => sent.Length > 20));
    }

    [Theory]
    [InlineData("10.96.0.10", true)]
    [InlineData("fd00:96::10", false)] // the kernel would leave out just those
    public void Only_IPv4_addresses_are_filtered_by_the_kernel(string address, bool isSent)
    {
        using var writer = new NlMsgWriter();
        FlowEncoder.PutDump(writer, CtMessage.Get, new FlowFilter { Protocol = Protocol.Udp, OriginalDestination = IpAddr.Parse(address) }, inKernel: true);
        var bytes = new byte[IpAddr.Parse(address).Length];
        IpAddr.Parse(address).WriteBytes(bytes);
        Assert.Equal(isSent, writer.ToArray().AsSpan().IndexOf(bytes) >= 0);
    }

    [Fact]
    public void Expectations_are_read_as_they_are_written()
    {
        var tuple = new FlowTuple(Protocol.Tcp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.0.0.2"), 0, 2000);
        var expectation = new Expectation(tuple with { DestinationPort = 21 }, tuple, new FlowTuple(Protocol.Tcp, IpAddr.Parse("255.255.255.255"), IpAddr.Parse("0.0.0.0"), 0, 65535))
        {
            Timeout = TimeSpan.FromSeconds(30), Zone = 3, Flags = ExpectationFlags.Permanent | ExpectationFlags.Userspace, Class = 1, Helper = "ftp",
            Function = "nat-follow-master", Nat = new ExpectationNat(true, tuple with { SourcePort = 9 }),
        };
        using var writer = new NlMsgWriter();
        ExpectationEncoder.PutCreate(writer, expectation);
        Expectation? decoded = null;
        foreach (var message in new NlMessages(writer.ToArray())) decoded = ExpectationDecoder.Decode(message);
        Assert.Equal(expectation, decoded);
    }

    [Fact]
    public async Task Flows_that_the_kernel_did_not_filter_out_are_filtered_here()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            using var answer = new NlMsgWriter();
            FlowMessages.Put(answer, FlowMessages.Udp("10.0.0.1:1", "10.96.0.10:53"));
            FlowMessages.Put(answer, FlowMessages.Udp("10.0.0.1:2", "10.96.0.11:53"));
            FlowMessages.Put(answer, FlowMessages.Udp("10.0.0.1:3", "10.96.0.10:54"));
            return [ScriptedReply.Messages(1, answer), ScriptedReply.Done(1)];
        });
        using var client = new ConntrackClient(new NetlinkChannel(transport));
        List<ushort> seen = [];

        await client.VisitAsync(
            new FlowFilter { Protocol = Protocol.Udp, OriginalDestination = IpAddr.Parse("10.96.0.10"), OriginalDestinationPort = 53 },
            (in Flow flow) => seen.Add(flow.Original.SourcePort), cancellationToken: Ct);

        Assert.Equal([(ushort)1], seen);
    }

    [Fact]
    public async Task A_kernel_that_refuses_tuple_filters_is_asked_without_from_then_on()
    {
        using var transport = new ScriptedNetlinkTransport(sent =>
        {
            var request = ScriptedReply.Headers(sent)[0];
            return [request.Length > 20 ? ScriptedReply.Error(request, Errno.NotSupported) : ScriptedReply.Done(request.Sequence)];
        });
        using var client = new ConntrackClient(new NetlinkChannel(transport));
        var filter = new FlowFilter { Family = IpFamily.IPv4, Protocol = Protocol.Udp };

        await client.VisitAsync(filter, (in Flow _) => { }, cancellationToken: Ct);
        await client.VisitAsync(filter, (in Flow _) => { }, cancellationToken: Ct);

        Assert.Equal([true, false, false], transport.Sent.Select(sent => sent.Length > 20));
    }

    [Fact]
    public async Task Entries_that_are_gone_are_not_counted_and_no_error()
    {
        using var transport = new ScriptedNetlinkTransport(sent => ScriptedReply.Headers(sent)
            .Select(header => header.Sequence == 2 ? ScriptedReply.Error(header, Errno.NoSuchEntry) : ScriptedReply.Ack(header)));
        using var client = new ConntrackClient(new NetlinkChannel(transport));
        Flow[] flows = [FlowMessages.Udp("10.0.0.1:1", "10.0.0.2:2"), FlowMessages.Udp("10.0.0.1:3", "10.0.0.2:2")];

        Assert.Equal(1, await client.DeleteAsync(flows, Ct));
        Assert.Equal(0, await client.DeleteAsync([], Ct));
        Assert.Single(transport.Sent);
    }

    [Fact]
    public async Task A_refused_deletion_names_the_entry()
    {
        using var transport = new ScriptedNetlinkTransport(
            sent => ScriptedReply.Headers(sent).Select(header => ScriptedReply.Error(header, Errno.OperationNotPermitted)));
        using var client = new ConntrackClient(new NetlinkChannel(transport));

        var error = await Assert.ThrowsAsync<NetlinkException>(() => client.DeleteAsync([FlowMessages.Udp("10.0.0.1:1", "10.0.0.2:2")], Ct));

        Assert.Equal("delete conntrack entry udp 10.0.0.1:1 > 10.0.0.2:2: EPERM", error.Message);
    }

    private static Flow Decoded(Flow flow)
    {
        using var writer = new NlMsgWriter();
        FlowMessages.Put(writer, flow);
        Flow? decoded = null;
        foreach (var message in new NlMessages(writer.ToArray())) decoded = FlowDecoder.Decode(message);
        return Assert.NotNull(decoded);
    }
}
