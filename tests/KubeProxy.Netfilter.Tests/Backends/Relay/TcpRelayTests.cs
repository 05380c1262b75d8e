using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Relay;
using static KubeProxy.Netfilter.Tests.Backends.Relay.RelayHarness;

namespace KubeProxy.Netfilter.Tests.Backends.Relay;

public sealed class TcpRelayTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_go_both_ways()
    {
        using var relay = new RelayHarness();
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(endpoint));
        using var client = await ConnectAsync(relay.Tcp(2));
        using var accepted = await endpoint.AcceptAsync(Token);
        await client.SendAsync("question"u8.ToArray());
        Assert.Equal("question", await ReadAsync(accepted, 8));
        await accepted.SendAsync("answer"u8.ToArray());
        Assert.Equal("answer", await ReadAsync(client, 6));
        var counters = relay.Counters(2);
        await UntilAsync(() => counters is { BytesToEndpoints: 8, BytesToClients: 6, Connections: 1, Active: 1 });
        client.Dispose();
        accepted.Dispose();
        await UntilAsync(() => counters.Active == 0 && relay.Context.Connections == 0);
    }

    [Fact]
    public async Task Endpoints_take_turns()
    {
        using var relay = new RelayHarness();
        using var first = Listen();
        using var second = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(first), At(second));
        for (var i = 0; i < 10; i++) (await ConnectAsync(relay.Tcp(2))).Dispose();
        await UntilAsync(() => relay.Counters(2).Connections == 10);
        var counts = new[] { 0, 0 };
        for (var i = 0; i < 5; i++)
        {
            (await first.AcceptAsync(Token)).Dispose();
            (await second.AcceptAsync(Token)).Dispose();
            counts[0]++;
            counts[1]++;
        }

        Assert.Equal([5, 5], counts);
        Assert.False(first.Poll(0, SelectMode.SelectRead) || second.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task A_client_sticks_to_its_endpoint()
    {
        using var relay = new RelayHarness();
        var endpoints = Enumerable.Range(0, 5).Select(_ => Listen()).ToList();
        relay.Serve(2, Protocol.Tcp, TimeSpan.FromHours(1), [.. endpoints.Select(At)]);
        var chosen = new HashSet<Socket>();
        for (var i = 0; i < 12; i++)
        {
            using var client = await ConnectAsync(relay.Tcp(2));
            await UntilAsync(() => endpoints.Any(Accepts));
            chosen.Add(endpoints.Single(Accepts));
            (await chosen.Single().AcceptAsync(Token)).Dispose();
        }

        Assert.Equal(1, relay.Table.Services.Single().AffinityClientCount);
        Assert.Equal(12, relay.Counters(2).Connections);
        endpoints.ForEach(endpoint => endpoint.Dispose());

        static bool Accepts(Socket socket) => socket.Poll(0, SelectMode.SelectRead);
    }

    [Fact]
    public async Task Another_endpoint_is_tried_when_one_refuses()
    {
        using var relay = new RelayHarness();
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, Closed(), Closed(), At(endpoint));
        for (var i = 0; i < 9; i++)
        {
            using var client = await ConnectAsync(relay.Tcp(2));
            using var accepted = await endpoint.AcceptAsync(Token);
            await accepted.SendAsync("x"u8.ToArray());
            Assert.Equal("x", await ReadAsync(client, 1));
        }

        Assert.True(relay.Counters(2).DialFailures > 0);
        Assert.Equal(0, relay.Counters(2).Undelivered);
    }

    [Fact]
    public async Task Clients_are_reset_when_all_endpoints_refuse()
    {
        using var relay = new RelayHarness();
        relay.Serve(2, Protocol.Tcp, null, Closed(), Closed());
        await AssertResetAsync(relay.Tcp(2));
        await UntilAsync(() => relay.Counters(2) is { Undelivered: 1, DialFailures: 2, Active: 0 });
    }

    [Fact]
    public async Task No_more_endpoints_are_tried_than_allowed()
    {
        using var relay = new RelayHarness(options => options with { MaxDials = 3 });
        relay.Serve(2, Protocol.Tcp, null, [.. Enumerable.Range(0, 6).Select(_ => Closed())]);
        await AssertResetAsync(relay.Tcp(2));
        Assert.Equal(3, relay.Counters(2).DialFailures);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_is_given_up()
    {
        using var relay = new RelayHarness(options => options with { DialTimeout = TimeSpan.FromMilliseconds(50) });
        // A queue that is full answers to nobody.
        using var deaf = Listen(0);
        using var filler = await ConnectAsync(At(deaf));
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(deaf), At(endpoint));
        for (var i = 0; i < 4; i++)
        {
            using var client = await ConnectAsync(relay.Tcp(2));
            using var accepted = await endpoint.AcceptAsync(Token);
        }

        Assert.True(relay.Counters(2).DialFailures >= 1);
    }

    [Fact]
    public async Task The_end_of_one_direction_leaves_the_other()
    {
        using var relay = new RelayHarness();
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(endpoint));
        using var client = await ConnectAsync(relay.Tcp(2));
        using var accepted = await endpoint.AcceptAsync(Token);
        await client.SendAsync("all"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("all", await ReadAsync(accepted, 100));
        await accepted.SendAsync("still here"u8.ToArray());
        Assert.Equal("still here", await ReadAsync(client, 10));
        accepted.Shutdown(SocketShutdown.Send);
        Assert.Equal("", await ReadAsync(client, 1));
        await UntilAsync(() => relay.Counters(2).Active == 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_is_passed_on(bool byClient)
    {
        using var relay = new RelayHarness();
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(endpoint));
        using var client = await ConnectAsync(relay.Tcp(2));
        using var accepted = await endpoint.AcceptAsync(Token);
        var (one, other) = byClient ? (client, accepted) : (accepted, client);
        await one.SendAsync("x"u8.ToArray());
        Assert.Equal("x", await ReadAsync(other, 1));
        one.LingerState = new LingerOption(true, 0);
        one.Close();
        await AssertResetAsync(other);
        await UntilAsync(() => relay.Counters(2).Active == 0);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public async Task A_slow_reader_gets_everything_and_holds_up_the_sender(int maxBuffered)
    {
        const int total = 24 << 20;
        using var relay = new RelayHarness(options => options with { MaxBufferedBytes = maxBuffered });
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(endpoint));
        using var client = await ConnectAsync(relay.Tcp(2));
        using var accepted = await endpoint.AcceptAsync(Token);
        long sent = 0;
        var sending = Task.Run(async () =>
        {
            var chunk = new byte[65_521];
            for (var offset = 0; offset < total;)
            {
                var length = Math.Min(chunk.Length, total - offset);
                for (var i = 0; i < length; i++) chunk[i] = Content(offset + i);
                offset += await accepted.SendAsync(chunk.AsMemory(0, length));
                Volatile.Write(ref sent, offset);
            }

            accepted.Shutdown(SocketShutdown.Send);
        }, Token);

        // Nothing is read until the sender is stuck: only what fits into the kernel's buffers, and one piece here, is under way.
        await UntilAsync(() => Volatile.Read(ref sent) is > 0 and var before && Settled(before));
        Assert.True(Volatile.Read(ref sent) < total);
        var buffer = new byte[40_000];
        var received = 0;
        while (await client.ReceiveAsync(buffer, Token) is > 0 and var count)
        {
            for (var i = 0; i < count; i++) Assert.True(buffer[i] == Content(received + i), $"byte {received + i}");
            received += count;
        }

        await sending;
        Assert.Equal(total, received);
        Assert.Equal(total, relay.Counters(2).BytesToClients);

        static byte Content(int position) => (byte)((position * 31) ^ (position >> 8) ^ (position >> 16));

        bool Settled(long before)
        {
            Thread.Sleep(300);
            return Volatile.Read(ref sent) == before;
        }
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_reset_and_room_is_used_again()
    {
        using var relay = new RelayHarness(options => options with { Connections = new ConnectionLimit(3) });
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(endpoint));
        var clients = new List<Socket>();
        for (var i = 0; i < 3; i++) clients.Add(await ConnectAsync(relay.Tcp(2)));
        await UntilAsync(() => relay.Context.Connections == 3);
        await AssertResetAsync(relay.Tcp(2));
        clients.ForEach(client => client.Dispose());
        for (var i = 0; i < 3; i++) (await endpoint.AcceptAsync(Token)).Dispose();
        await UntilAsync(() => relay.Context.Connections == 0);
        using var next = await ConnectAsync(relay.Tcp(2));
        using var accepted = await endpoint.AcceptAsync(Token);
        await next.SendAsync("x"u8.ToArray());
        Assert.Equal("x", await ReadAsync(accepted, 1));
    }

    [Fact]
    public async Task Relays_may_share_the_limit()
    {
        var limit = new ConnectionLimit(2);
        using var one = new RelayHarness(options => options with { Connections = limit });
        using var other = new RelayHarness(options => options with { Connections = limit });
        using var endpoint = Listen();
        one.Serve(2, Protocol.Tcp, null, At(endpoint));
        other.Serve(3, Protocol.Tcp, null, At(endpoint));
        using var first = await ConnectAsync(one.Tcp(2));
        using var second = await ConnectAsync(other.Tcp(3));
        await UntilAsync(() => limit.Current == 2);
        Assert.Equal((1, 1), (one.Context.Connections, other.Context.Connections));
        await AssertResetAsync(one.Tcp(2));
        await AssertResetAsync(other.Tcp(3));
    }

    [Fact]
    public async Task A_connection_that_no_frontend_explains_is_reset()
    {
        using var relay = new RelayHarness();
        await AssertResetAsync(relay.Tcp(9));
    }

    [Fact]
    public async Task Connections_outlive_that_their_endpoint_gets_no_new_ones()
    {
        using var relay = new RelayHarness();
        using var leaving = Listen();
        using var staying = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(leaving));
        using var client = await ConnectAsync(relay.Tcp(2));
        using var accepted = await leaving.AcceptAsync(Token);
        relay.Serve(2, Protocol.Tcp, null, At(staying));
        using var second = await ConnectAsync(relay.Tcp(2));
        using var elsewhere = await staying.AcceptAsync(Token);
        await client.SendAsync("x"u8.ToArray());
        Assert.Equal("x", await ReadAsync(accepted, 1));
    }

    [Fact]
    public async Task Ending_the_relay_resets_what_is_there()
    {
        var relay = new RelayHarness();
        using var endpoint = Listen();
        relay.Serve(2, Protocol.Tcp, null, At(endpoint));
        using var client = await ConnectAsync(relay.Tcp(2));
        using var accepted = await endpoint.AcceptAsync(Token);
        relay.Dispose();
        await AssertResetAsync(client);
        await AssertResetAsync(accepted);
    }

    /// <summary>Connects, and is reset then or afterwards.</summary>
    private static Task AssertResetAsync(System.Net.EndPoint to) => AssertResetAsync(() => ConnectAsync(to));

    private static Task AssertResetAsync(Socket socket) => AssertResetAsync(() => Task.FromResult(socket));

    private static async Task AssertResetAsync(Func<Task<Socket>> open)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using var socket = await open();
            var count = await socket.ReceiveAsync(new byte[1], timeout.Token);
            Assert.Fail($"{count} bytes instead of a reset");
        });
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    /// <summary>Reads that many bytes, or all until the end.</summary>
    private static async Task<string> ReadAsync(Socket socket, int count)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[count];
        var length = 0;
        while (length < count && await socket.ReceiveAsync(buffer.AsMemory(length), timeout.Token) is > 0 and var read) length += read;
        return System.Text.Encoding.ASCII.GetString(buffer, 0, length);
    }
}
