using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.ApiBenchmark;

/// <summary>The server: in a process of its own, so that the reader's numbers are the reader's.</summary>
internal static class Serving
{
    public static async Task<int> RunAsync(int services, int endpoints, int port, string? caFile)
    {
        using var authority = new TestAuthority();
        if (caFile is not null) await File.WriteAllTextAsync(caFile, authority.Pem);
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions
        {
            Port = port,
            PagesFromCache = true,
            Certificate = caFile is null ? null : authority.Issue("api.test"),
        });
        server.Fill("services", Enumerable.Range(0, services).Select(i => ApiObjects.Service($"service-{i}", $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}")));
        server.Fill("endpointslices", Enumerable.Range(0, services).Select(i => ApiObjects.Slice($"service-{i}-abcde", $"service-{i}", Addresses(i, endpoints))));
        server.Set("nodes", ApiObjects.Node("node1"));
        server.Set("servicecidrs", ApiObjects.ServiceCidr("kubernetes", "10.0.0.0/8"));
        // A server that has been up for a while: what it needs for the first answer is compiled.
        foreach (var type in new[] { "application/json", "application/vnd.kubernetes.protobuf" })
        {
            for (var i = 0; i < 3; i++) await Parsing.ReadAsync(server.Url, caFile, stream: true, type);
        }

        GC.Collect();
        Console.WriteLine($"{server.Url}");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    private static IEnumerable<string> Addresses(int service, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var number = service * count + i;
            yield return $"11.{number >> 16}.{(number >> 8) & 255}.{number & 255}";
        }
    }
}
