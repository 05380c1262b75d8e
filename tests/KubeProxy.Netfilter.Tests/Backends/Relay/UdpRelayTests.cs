using System.Net;
using System.Net.Sockets;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Tests.Conntrack;
using static KubeProxy.Netfilter.Tests.Backends.Relay.RelayHarness;

namespace KubeProxy.Netfilter.Tests.Backends.Relay;

public sealed class UdpRelayTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_come_from_the_frontend()
    {
        using var relay = new RelayHarness();
        using var endpoint = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(endpoint));
        using var client = BindUdp();
        await client.SendToAsync("question"u8.ToArray(), relay.Udp(2));
        var (text, node) = await ReceiveAsync(endpoint);
        Assert.Equal("question", text);
        Assert.NotEqual(At(client), node);
        await endpoint.SendToAsync("answer"u8.ToArray(), node);
        Assert.Equal(("answer", relay.Udp(2)), await ReceiveAsync(client));
        Assert.Equal(8, relay.Counters(2).BytesToEndpoints);
        Assert.Equal(6, relay.Counters(2).BytesToClients);
        Assert.Equal(1, relay.Counters(2).Active);
    }

    [Fact]
    public async Task Translated_datagrams_go_where_conntrack_says_and_answers_leave_from_where_they_came()
    {
        using var relay = new RelayHarness();
        using var endpoint = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(endpoint));
        using var client = BindUdp();
        using var stranger = BindUdp();
        relay.Conntrack.Add(FlowMessages.Udp($"{At(client)}", $"{relay.Udp(2)}", $"{relay.Translated}"));
        await stranger.SendToAsync("nobody translated it"u8.ToArray(), relay.Translated);
        for (var i = 0; i < 2; i++) // The second comes to the socket that answers.
        {
            await client.SendToAsync("question"u8.ToArray(), relay.Translated);
            var (text, node) = await ReceiveAsync(endpoint);
            Assert.Equal("question", text);
            await endpoint.SendToAsync("answer"u8.ToArray(), node);
            Assert.Equal(("answer", relay.Translated), await ReceiveAsync(client));
        }

        Assert.Equal(1, relay.Counters(2).Connections);
    }

    [Fact]
    public async Task A_translated_flow_that_was_quiet_is_looked_up_again()
    {
        using var relay = new RelayHarness();
        using var one = BindUdp();
        using var other = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(one));
        relay.Serve(3, Protocol.Udp, null, At(other));
        using var client = BindUdp();
        var flow = relay.Conntrack.Add(FlowMessages.Udp($"{At(client)}", $"{relay.Udp(2)}", $"{relay.Translated}"));
        await client.SendToAsync("x"u8.ToArray(), relay.Translated);
        await ReceiveAsync(one);
        await relay.Conntrack.DeleteAsync([flow], Token);
        relay.Conntrack.Add(FlowMessages.Udp($"{At(client)}", $"{relay.Udp(3)}", $"{relay.Translated}"));
        await Task.Delay(1100, Token);
        await client.SendToAsync("y"u8.ToArray(), relay.Translated);
        Assert.Equal("y", (await ReceiveAsync(other)).Text);
    }

    [Fact]
    public async Task A_flow_stays_with_its_endpoint_and_keeps_the_order_of_a_burst()
    {
        using var relay = new RelayHarness();
        using var first = BindUdp();
        using var second = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(first), At(second));
        using var client = BindUdp();
        for (var i = 0; i < 100; i++) await client.SendToAsync(Encoding.ASCII.GetBytes($"{i}"), relay.Udp(2));
        await UntilAsync(() => first.Available + second.Available > 0);
        var endpoint = first.Available > 0 ? first : second;
        for (var i = 0; i < 100; i++) Assert.Equal($"{i}", (await ReceiveAsync(endpoint)).Text);
        Assert.Equal(1, relay.Counters(2).Connections);
    }

    [Fact]
    public async Task Empty_and_largest_datagrams_pass()
    {
        using var relay = new RelayHarness();
        using var endpoint = BindUdp();
        endpoint.ReceiveBufferSize = 1 << 20;
        relay.Serve(2, Protocol.Udp, null, At(endpoint));
        using var client = BindUdp();
        await client.SendToAsync(Array.Empty<byte>(), relay.Udp(2));
        Assert.Equal("", (await ReceiveAsync(endpoint)).Text);
        await client.SendToAsync(Encoding.ASCII.GetBytes(new string('x', 65_507)), relay.Udp(2));
        Assert.Equal(65_507, (await ReceiveAsync(endpoint)).Text.Length);
    }

    [Fact]
    public async Task Each_client_and_frontend_is_a_flow_of_its_own()
    {
        using var relay = new RelayHarness();
        using var endpoint = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(endpoint));
        relay.Serve(3, Protocol.Udp, null, At(endpoint));
        using var one = BindUdp();
        using var other = BindUdp();
        foreach (var (client, service) in new[] { (one, 2), (other, 2), (one, 3) })
        {
            await client.SendToAsync("?"u8.ToArray(), relay.Udp(service));
            var (_, node) = await ReceiveAsync(endpoint);
            await endpoint.SendToAsync("!"u8.ToArray(), node);
            Assert.Equal(("!", relay.Udp(service)), await ReceiveAsync(client));
        }

        Assert.Equal(2, relay.Counters(2).Active);
        Assert.Equal(1, relay.Counters(3).Active);
    }

    [Fact]
    public async Task Idle_flows_end()
    {
        using var relay = new RelayHarness(options => options with { UdpIdleTimeout = TimeSpan.FromMilliseconds(50) });
        using var endpoint = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(endpoint));
        using var client = BindUdp();
        await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
        var (_, node) = await ReceiveAsync(endpoint);
        await UntilAsync(() => relay.Counters(2).Active == 0);
        await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
        Assert.NotEqual(node, (await ReceiveAsync(endpoint)).From);
        Assert.Equal(2, relay.Counters(2).Connections);
    }

    [Fact]
    public async Task When_nobody_is_at_the_endpoint_the_next_datagram_goes_to_another()
    {
        using var relay = new RelayHarness();
        using var endpoint = BindUdp();
        IPEndPoint gone;
        using (var socket = BindUdp()) gone = At(socket);
        relay.Serve(2, Protocol.Udp, TimeSpan.FromHours(1), gone, At(endpoint));
        for (var i = 0; i < 4; i++)
        {
            using var client = BindUdp();
            while (endpoint.Available == 0)
            {
                await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
                await Task.Delay(5, Token);
            }

            while (endpoint.Available > 0) await ReceiveAsync(endpoint);
        }

        await UntilAsync(() => relay.Counters(2).Active <= 4);
    }

    [Fact]
    public async Task A_flow_moves_when_its_endpoint_no_longer_serves()
    {
        using var relay = new RelayHarness();
        using var leaving = BindUdp();
        using var staying = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(leaving));
        using var client = BindUdp();
        await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
        await ReceiveAsync(leaving);
        relay.Serve(2, Protocol.Udp, null, At(leaving), At(staying));
        await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
        await ReceiveAsync(leaving);
        relay.Serve(2, Protocol.Udp, null, At(staying));
        await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
        await ReceiveAsync(staying);
        Assert.Equal(1, relay.Counters(2).Active);
    }

    [Fact]
    public async Task New_flows_are_dropped_while_all_that_are_allowed_are_in_use()
    {
        using var relay = new RelayHarness(options => options with { MaxUdpFlows = 2 });
        using var endpoint = BindUdp();
        relay.Serve(2, Protocol.Udp, null, At(endpoint));
        var clients = Enumerable.Range(0, 3).Select(_ => BindUdp()).ToList();
        foreach (var client in clients) await client.SendToAsync("?"u8.ToArray(), relay.Udp(2));
        await ReceiveAsync(endpoint);
        await ReceiveAsync(endpoint);
        Assert.Equal(2, relay.Counters(2).Active);
        // The place of one that was idle for a while is taken.
        while (relay.Counters(2).Connections < 3)
        {
            await clients[2].SendToAsync("?"u8.ToArray(), relay.Udp(2));
            await Task.Delay(50, Token);
        }

        await ReceiveAsync(endpoint);
        Assert.Equal(2, relay.Counters(2).Active);
        clients.ForEach(client => client.Dispose());
    }

    private static async Task<(string Text, IPEndPoint From)> ReceiveAsync(Socket socket)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[65_536];
        var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), timeout.Token);
        return (Encoding.ASCII.GetString(buffer, 0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint);
    }
}
