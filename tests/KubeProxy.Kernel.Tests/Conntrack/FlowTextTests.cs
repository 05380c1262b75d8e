using System.Net;
using System.Net.Sockets;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Kernel.Tests.Conntrack;

/// <summary>Flows in words: those of the conntrack tool.</summary>
public sealed class FlowTextTests : IDisposable
{
    private const string Made = """
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 1 --dport 80 -t 600 --state SYN_SENT
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 2 --dport 80 -t 600 --state SYN_RECV -u SEEN_REPLY
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 3 --dport 80 -t 600 --state ESTABLISHED -u SEEN_REPLY,ASSURED --mark 4294967295
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 4 --dport 80 -t 600 --state FIN_WAIT -u SEEN_REPLY,ASSURED
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 5 --dport 80 -t 600 --state CLOSE_WAIT -u SEEN_REPLY
        -I -p tcp -s fd00::1 -d fd00:96::10 --sport 6 --dport 80 -t 600 --state LAST_ACK -u SEEN_REPLY
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 7 --dport 80 -t 600 --state TIME_WAIT -u SEEN_REPLY
        -I -p tcp -s 10.0.0.1 -d 10.96.0.10 --sport 8 --dport 80 -t 600 --state CLOSE
        -I -p udp -s 10.0.0.1 -d 10.96.0.10 --sport 1000 --dport 53 -t 600 --zone 7
        -I -p udp -s 10.0.0.1 -d 10.96.0.10 --sport 1001 --dport 53 -t 600 --orig-zone 8
        -I -p udp -s 10.0.0.1 -d 10.96.0.10 --sport 1002 --dport 53 -t 600 --reply-zone 65535
        -I -p udp -s 10.0.0.1 -d 10.96.0.10 --sport 1003 --dport 53 -t 600 --dst-nat 10.244.0.1:5353
        -I -p udp -s 10.0.0.1 -d 10.96.0.10 --sport 1004 --dport 53 -t 600 --src-nat 192.0.2.1:4000
        -I -p udp -s fd00::1 -d fd00:96::10 --sport 1000 --dport 53 -t 600 -u SEEN_REPLY
        -I -p udplite -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 -t 600
        -I -p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 600
        -I -p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 13 --icmp-code 0 --icmp-id 77 -t 600
        -I -p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77 -t 600
        -I -p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2 -t 600
        -I -p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 3 --dport 2 --state COOKIE_WAIT --orig-vtag 1 --reply-vtag 2 -t 600
        -I -p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 1 --dstkey 0xabc -t 600
        -I -p dccp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state OPEN --role client -t 600
        -I -p 99 -s 10.0.0.1 -d 10.0.0.2 -t 600

        """;

    private readonly NetworkNamespace _ns = NetworkNamespace.Create();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _ns.Dispose();

    [Fact]
    public async Task Flows_of_all_protocols_are_printed_as_the_tool_prints_them()
    {
        _ns.ExecWithInput(Made, "conntrack", "-R", "-");
        await AssertSameAsync(lines: 23);
    }

    [Fact]
    public async Task Flows_of_all_protocols_are_found_and_deleted()
    {
        _ns.ExecWithInput(Made, "conntrack", "-R", "-");
        using var client = _ns.Run(() => ConntrackClient.Open());
        List<Flow> flows = [];
        await client.VisitAsync(FlowFilter.All, (in Flow flow) => flows.Add(flow), flows.Clear, Ct);
        foreach (var flow in flows)
        {
            Assert.Equal(flow.Id, (await client.FindAsync(flow.Original with { Zone = flow.Original.Zone ?? flow.Zone }, Ct))?.Id);
            Assert.Equal(flow.Id, (await client.FindByReplyAsync(flow.Reply with { Zone = flow.Reply.Zone ?? flow.Zone }, Ct))?.Id);
        }

        Assert.Equal(23, await client.DeleteAsync(flows, Ct));
        Assert.Equal(0u, (await client.CountAsync(Ct)).Entries);
    }

    [Fact]
    public async Task Counted_flows_and_those_with_a_helper_are_printed_as_the_tool_prints_them()
    {
        using var ftp = FtpConnection.Open(_ns);
        using var client = _ns.Run(() => new UdpClient(new IPEndPoint(IPAddress.Loopback, 4000)));
        await client.SendAsync(new byte[3], new IPEndPoint(IPAddress.Parse("127.0.0.9"), 9), Ct);
        await client.SendAsync(new byte[3], new IPEndPoint(IPAddress.Parse("127.0.0.7"), 9), Ct); // translated to 127.0.0.8
        await AssertSameAsync(lines: 3);
    }

    private async Task AssertSameAsync(int lines)
    {
        using var client = _ns.Run(() => ConntrackClient.Open());
        string[] theirs = [], ours = [];
        for (var attempt = 0; attempt < 20; attempt++) // seconds pass between the two
        {
            foreach (var parts in new[] { FlowTextParts.None, FlowTextParts.Family | FlowTextParts.Id })
            {
                string[] command = parts == FlowTextParts.None ? ["-L"] : ["-L", "-o", "extended,id"];
                theirs = [.. _ns.Exec("conntrack", command).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
                List<string> seen = [];
                await client.VisitAsync(FlowFilter.All, (in Flow flow) => seen.Add(FlowText.Of(flow, parts, DateTimeOffset.UtcNow)), seen.Clear, Ct);
                ours = [.. seen.Order(StringComparer.Ordinal)];
                if (!theirs.SequenceEqual(ours)) break;
            }

            if (theirs.SequenceEqual(ours)) break;
        }

        Assert.Equal(theirs, ours);
        Assert.Equal(lines, ours.Length);
    }
}
