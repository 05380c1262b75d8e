using System.Net;
using System.Text.Json.Nodes;
using KubeProxy.Host.Composition;

namespace KubeProxy.Host.Tests;

/// <summary>What the program says and serves while it cannot write a rule yet, and that it ends when told to.</summary>
public sealed class StartWaitTests : ProgramTests
{
    private const string NodeWithout = "{apiVersion: v1, kind: Node, metadata: {name: node1}, status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}";
    private const string NodeWith = "{apiVersion: v1, kind: Node, metadata: {name: node1}, spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24]}}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Missing_pod_blocks_are_named_and_served_and_taken_when_they_come()
    {
        var (healthz, metrics) = (FreePort(), FreePort());
        WriteFile("m/node.yaml", NodeWithout);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync(Arguments(healthz, metrics, "detectLocalMode: NodeCIDR\n"), stop.Token);
        const string Reason = "node node1 has no spec.podCIDRs, which detectLocalMode NodeCIDR needs";
        await NamedAsync(metrics, $"waiting: {Reason}\n"); // At first it may not have read the node's file.
        var health = JsonNode.Parse(await EventuallyAsync($"http://127.0.0.1:{healthz}/healthz", HttpStatusCode.ServiceUnavailable))!;
        Assert.Equal((true, Reason), ((bool)health["nodeEligible"]!, (string?)health["waitingFor"]));
        await EventuallyAsync($"http://127.0.0.1:{healthz}/livez", HttpStatusCode.OK); // To start it anew would not help.
        await EventuallyAsync($"http://127.0.0.1:{metrics}/metrics", HttpStatusCode.OK);
        Assert.Contains(Reason, ReadLog(), StringComparison.Ordinal);
        Assert.Empty(Backends);

        WriteFile("m/node.yaml", NodeWith);
        Assert.Equal("ok", await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK));
        Assert.DoesNotContain("waitingFor", await EventuallyAsync($"http://127.0.0.1:{healthz}/healthz", HttpStatusCode.OK), StringComparison.Ordinal);
        Assert.Equal(2, Backends.Count);
        Assert.Equal("10.1.0.0/24", Assert.Single(Backends, backend => backend.PodBlock is not null).PodBlock);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    private static async Task NamedAsync(int metrics, string reason)
    {
        var reasons = "";
        for (var attempt = 0; attempt < 200 && !reasons.Contains(reason, StringComparison.Ordinal); attempt++)
        {
            reasons = await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.ServiceUnavailable);
            await Task.Delay(50, Cancel);
        }

        Assert.Contains(reason, reasons, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_signal_while_it_waits_ends_it_with_0(bool hasNode)
    {
        var metrics = FreePort();
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        if (hasNode) WriteFile("m/node.yaml", NodeWithout);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync(Arguments(FreePort(), metrics, "detectLocalMode: NodeCIDR\n"), stop.Token);
        var reason = hasNode ? "node node1 has no spec.podCIDRs" : "there is no Node node1, whose spec.podCIDRs";
        await NamedAsync(metrics, reason);
        Assert.False(run.IsCompleted);
        await stop.CancelAsync();
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task Missing_directory_is_named_and_waited_for()
    {
        var (healthz, metrics) = (FreePort(), FreePort());
        var arguments = Arguments(healthz, metrics);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync(arguments, stop.Token);
        var reasons = await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.ServiceUnavailable);
        Assert.Contains("waiting: not read yet: every Service, EndpointSlice, Node, ServiceCIDR\n", reasons, StringComparison.Ordinal);
        Assert.Contains(arguments[3], reasons, StringComparison.Ordinal);
        await EventuallyAsync($"http://127.0.0.1:{healthz}/healthz", HttpStatusCode.ServiceUnavailable);
        WriteFile("m/node.yaml", NodeWith);
        await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Theory]
    [InlineData("")]
    [InlineData("detectLocalMode: NodeCIDR\n")]
    public async Task Server_that_cannot_be_reached_is_named_and_waited_for(string more)
    {
        var (healthz, metrics, nobody) = (FreePort(), FreePort(), FreePort());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync([.. Arguments(healthz, metrics, more)[..2], "--master", $"http://127.0.0.1:{nobody}"], stop.Token);
        await EventuallyAsync($"http://127.0.0.1:{healthz}/healthz", HttpStatusCode.ServiceUnavailable);
        var reasons = "";
        for (var attempt = 0; attempt < 100 && !reasons.Contains("refused", StringComparison.Ordinal); attempt++)
        {
            reasons = await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.ServiceUnavailable);
            await Task.Delay(50, Cancel);
        }

        Assert.Contains("waiting: not read yet: every Service", reasons, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{nobody}", reasons, StringComparison.Ordinal);
        Assert.Contains("refused", ReadLog(), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }
}
