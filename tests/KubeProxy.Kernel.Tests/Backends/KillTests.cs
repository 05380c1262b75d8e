using System.Collections.Concurrent;
using System.Net.Sockets;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Killed at random moments of its syncs, again and again, while its input changes.</summary>
[Collection("proxy processes")]
public sealed class KillTests : IDisposable
{
    private const int Kills = 200;
    private const int Services = 20;
    private readonly MiniCluster _cluster = MiniCluster.Create(4);
    private readonly Manifests _manifests = new();

    [Fact]
    public async Task Unchanged_services_never_fail_and_the_kernel_ends_as_desired()
    {
        _cluster.Listen(8080);
        _manifests.Service("steady", "10.96.0.10", 30080);
        _manifests.Endpoints("steady", 0, 1);
        var random = new Random(1);
        for (var i = 0; i < Services; i++) Change(random, i);
        using (var first = ProxyProcess.Start(_cluster.Node, _manifests)) await first.WaitReadyAsync();

        using var established = await MiniCluster.ConnectAsync(_cluster.Client, "10.96.0.10", 80);
        using var stop = new CancellationTokenSource();
        var failures = new ConcurrentQueue<string>();
        var probing = ProbeAsync(failures, stop.Token);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var proxy = ProxyProcess.Start(_cluster.Node, _manifests);
            // Anything from before the start of the runtime to well into the syncs.
            var end = DateTime.UtcNow.AddMilliseconds(random.Next(0, 900));
            while (DateTime.UtcNow < end)
            {
                Change(random, random.Next(Services));
                await Task.Delay(random.Next(1, 30), TestContext.Current.CancellationToken);
            }

            proxy.Kill();
        }

        await stop.CancelAsync();
        await probing;
        await established.PingAsync();
        Assert.Empty(failures);

        using (var last = ProxyProcess.Start(_cluster.Node, _manifests)) await last.WaitReadyAsync();
        Assert.Equal(await FromScratchAsync(), ProxyTable.Normalise(_cluster.Node));
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _manifests.Dispose();
    }

    private void Change(Random random, int service)
    {
        if (random.Next(6) == 0)
        {
            _manifests.Delete($"service.changing{service}");
            return;
        }

        var affinity = random.Next(4) == 0 ? ""","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":600}}""" : "";
        _manifests.Service($"changing{service}", $"10.96.1.{service}", random.Next(2) == 0 ? 31000 + service : null, affinity);
        _manifests.Endpoints($"changing{service}", Enumerable.Range(0, 4).Where(_ => random.Next(2) == 0));
    }

    private async Task ProbeAsync(ConcurrentQueue<string> failures, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var (address, port) in new[] { ("10.96.0.10", 80), (MiniCluster.NodeAddress, 30080) })
            {
                try
                {
                    using var connection = await MiniCluster.ConnectAsync(_cluster.Client, address, port);
                    if (connection.Pod > 1) failures.Enqueue($"{address}:{port} reached pod {connection.Pod}");
                }
                catch (SocketException e)
                {
                    failures.Enqueue($"{DateTime.UtcNow:O} {address}:{port}: {e.SocketErrorCode}");
                }
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }

    // What a proxy that starts on an empty ruleset makes of the same manifests.
    private async Task<string> FromScratchAsync()
    {
        using var node = NetworkNamespace.Create();
        node.Exec("ip", "address", "add", $"{MiniCluster.NodeAddress}/32", "dev", "lo"); // nodeport-ips holds addresses that are there
        using var proxy = ProxyProcess.Start(node, _manifests);
        await proxy.WaitReadyAsync();
        return ProxyTable.Normalise(node);
    }
}
