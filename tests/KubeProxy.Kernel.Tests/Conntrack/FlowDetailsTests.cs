using System.Net;
using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Kernel.Tests.Conntrack;

public sealed class FlowDetailsTests : IDisposable
{
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();
    private readonly ConntrackClient _client;

    public FlowDetailsTests() => _client = _ns.Run(() => ConntrackClient.Open());

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client?.Dispose();
        _ns.Dispose();
    }

    [Fact]
    public async Task A_connection_tells_its_state_counters_times_helper_and_labels()
    {
        using var connection = FtpConnection.Open(_ns);

        var flow = await ControlAsync();

        var tcp = Assert.NotNull(flow.Tcp);
        Assert.Equal(FlowTcpState.Established, tcp.State);
        Assert.True((tcp.OriginalFlags & tcp.ReplyFlags).HasFlag(FlowTcpFlags.WindowScale | FlowTcpFlags.SackPermitted));
        Assert.InRange(tcp.OriginalWindowScale, 1, 14);
        Assert.InRange(Assert.NotNull(flow.OriginalCounters).Bytes, 100ul, 2000ul);
        Assert.InRange(Assert.NotNull(flow.ReplyCounters).Packets, 3ul, 20ul);
        Assert.InRange((DateTimeOffset.UtcNow - Assert.NotNull(flow.Started)).TotalSeconds, -1, 60);
        Assert.Null(flow.Stopped);
        Assert.Equal("ftp", flow.Details?.Helper);
        Assert.Equal((UInt128)8, flow.Details?.Labels);
        Assert.True(flow.Status.HasFlag(FlowStatus.Helper | FlowStatus.SourceNatDone | FlowStatus.Assured));
        Assert.Equal(1u, flow.Use);

        await _client.UpdateAsync(flow, new FlowChange { Labels = UInt128.One << 100, LabelsMask = UInt128.One << 100 }, Ct);
        Assert.Equal((UInt128.One << 100) | 8, (await ControlAsync()).Details?.Labels);
        await _client.UpdateAsync(flow, new FlowChange { Helper = "" }, Ct);
        Assert.Null((await ControlAsync()).Details?.Helper);
    }

    [Fact]
    public async Task Counters_are_read_and_set_to_zero()
    {
        using var connection = FtpConnection.Open(_ns);
        List<ulong> bytes = [];

        await _client.VisitAndZeroAsync(new FlowFilter { Family = IpFamily.IPv4, Protocol = Protocol.Udp }, (in Flow _) => bytes.Add(0), Ct);
        Assert.Empty(bytes);
        await _client.VisitAndZeroAsync(FlowFilter.All, (in Flow flow) => bytes.Add(flow.OriginalCounters?.Bytes ?? 0), Ct);
        Assert.NotEqual(0ul, Assert.Single(bytes)); // other flows were not touched
        Assert.Equal(0ul, (await ControlAsync()).OriginalCounters?.Bytes);
    }

    [Fact]
    public async Task Expectations_are_listed_deleted_and_made()
    {
        using var connection = FtpConnection.Open(_ns);
        var control = await ControlAsync();

        var expectation = Assert.Single(await _client.ListExpectationsAsync(Ct));

        Assert.Equal((control.Original, (ushort)5141, "ftp"), (expectation.Master, expectation.Tuple.DestinationPort, expectation.Helper));
        Assert.Equal((IpAddr.Parse("255.255.255.255"), (ushort)0, ushort.MaxValue),
            (expectation.Mask.Source, expectation.Mask.SourcePort, expectation.Mask.DestinationPort));
        Assert.InRange(Assert.NotNull(expectation.Timeout).TotalSeconds, 200, 300);
        Assert.False(await _client.DeleteExpectationAsync(expectation with { Id = expectation.Id + 1 }, Ct));
        Assert.True(await _client.DeleteExpectationAsync(expectation, Ct));
        Assert.False(await _client.DeleteExpectationAsync(expectation, Ct));
        Assert.Empty(await _client.ListExpectationsAsync(Ct));

        await _client.CreateExpectationAsync(expectation with { Tuple = expectation.Tuple with { DestinationPort = 5142 } }, Ct);
        Assert.Equal(5142, Assert.Single(await _client.ListExpectationsAsync(Ct)).Tuple.DestinationPort);
        Assert.Contains("dport=5142", _ns.Exec("conntrack", "-L", "expect"), StringComparison.Ordinal);
        await _client.FlushExpectationsAsync(Ct);
        Assert.Empty(await _client.ListExpectationsAsync(Ct));
    }

    [Fact]
    public async Task Each_cpu_tells_what_it_counted()
    {
        _ns.Exec("conntrack", "-I", "-p", "udp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "2", "-t", "600");
        var statistics = await _client.GetStatisticsAsync(Ct);
        Assert.Equal(statistics.Count, statistics.Select(cpu => cpu.Cpu).Distinct().Count());
        Assert.Equal(1, statistics.Sum(cpu => cpu.Inserted));
        Assert.Equal(_ns.Exec("conntrack", "-S").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, statistics.Count);
    }

    [Fact]
    public async Task Lists_beside_the_table_have_no_flow_of_it()
    {
        _ns.Exec("conntrack", "-I", "-p", "udp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "2", "-t", "600");
        var seen = 0;
        await _client.VisitDyingAsync(FlowFilter.All, (in Flow _) => seen++, Ct);
        await _client.VisitUnconfirmedAsync(FlowFilter.All, (in Flow _) => seen++, Ct);
        Assert.Equal(0, seen);
    }

    [Fact]
    public async Task A_created_flow_translates_the_packets_of_its_connection()
    {
        _ns.Exec("ip", "address", "add", "10.96.0.10/32", "dev", "lo");
        _ns.ExecWithInput("""
            table ip test {
              chain out { type nat hook output priority -100; ip daddr 192.0.2.1 dnat to 127.0.0.1; }
              chain in { type nat hook input priority 100; }
              chain post { type nat hook postrouting priority 100; }
              chain pre { type nat hook prerouting priority -100; }
            }
            """, "nft", "-f", "-");
        using var client = _ns.Run(() => new UdpClient(new IPEndPoint(IPAddress.Loopback, 4000)));
        using var server = _ns.Run(() => new UdpClient(new IPEndPoint(IPAddress.Loopback, 5353)));
        var (loopback, vip) = (IpAddr.Parse("127.0.0.1"), IpAddr.Parse("10.96.0.10"));

        await _client.CreateAsync(
            new Flow(new FlowTuple(Protocol.Udp, loopback, vip, 4000, 53), new FlowTuple(Protocol.Udp, loopback, IpAddr.Parse("127.0.0.3"), 5353, 4001),
                FlowStatus.DestinationNat | FlowStatus.SourceNat, 0, 7, 0) { Timeout = TimeSpan.FromSeconds(60) }, Ct);
        await client.SendAsync(new byte[1], new IPEndPoint(IPAddress.Parse("10.96.0.10"), 53), Ct);
        var received = await server.ReceiveAsync(Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Ct);

        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.0.0.3"), 4001), received.RemoteEndPoint);
        var flow = Assert.NotNull(await _client.FindAsync(new FlowTuple(Protocol.Udp, loopback, vip, 4000, 53), Ct));
        Assert.Equal((7u, new IpEndpoint(loopback, 5353)), (flow.Mark, flow.ReplySource));
        Assert.True(flow.Status.HasFlag(FlowStatus.DestinationNat | FlowStatus.DestinationNatDone | FlowStatus.SourceNat | FlowStatus.SourceNatDone));
    }

    [Fact]
    public async Task Connections_are_created_with_their_state()
    {
        var tcp = new FlowTuple(Protocol.Tcp, IpAddr.Parse("fd00::1"), IpAddr.Parse("fd00::2"), 1000, 21);
        var scaled = FlowTcpFlags.WindowScale | FlowTcpFlags.BeLiberal;
        var sctp = new FlowTuple(Protocol.Sctp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.0.0.2"), 1000, 21);
        var status = FlowStatus.Confirmed | FlowStatus.SeenReply | FlowStatus.Assured;
        await _client.CreateAsync(new Flow(tcp, tcp.Reverse(), status, 0, 0, 0)
        {
            Timeout = TimeSpan.FromSeconds(600), Tcp = new FlowTcp(FlowTcpState.Established, scaled, scaled, 7, 9), Details = new FlowDetails { Helper = "ftp" },
        }, Ct);
        await _client.CreateAsync(new Flow(sctp, sctp.Reverse(), status, 0, 0, 0)
        {
            Timeout = TimeSpan.FromSeconds(600), Sctp = new FlowSctp(FlowSctpState.ShutdownSent, 1, uint.MaxValue),
        }, Ct);

        var connection = Assert.NotNull(await _client.FindAsync(tcp, Ct));
        Assert.Equal(new FlowTcp(FlowTcpState.Established, scaled, scaled, 7, 9), connection.Tcp);
        Assert.Equal("ftp", connection.Details?.Helper);
        Assert.True(connection.Status.HasFlag(status));
        Assert.Equal(new FlowSctp(FlowSctpState.ShutdownSent, 1, uint.MaxValue), (await _client.FindAsync(sctp, Ct))?.Sctp);
        await _client.UpdateAsync(connection, new FlowChange { Tcp = new FlowTcp(FlowTcpState.TimeWait) }, Ct);
        Assert.Equal(FlowTcpState.TimeWait, (await _client.FindAsync(tcp, Ct))?.Tcp?.State);
    }

    private async Task<Flow> ControlAsync()
    {
        List<Flow> flows = [];
        await _client.VisitAsync(new FlowFilter { OriginalDestinationPort = 2121 }, (in Flow flow) => flows.Add(flow), flows.Clear, Ct);
        return Assert.Single(flows);
    }
}
