using KubeProxy.Kubernetes.Access;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Random changes while random things go wrong: in the end the sink holds what the server holds.</summary>
public sealed class ChaosTests
{
    [Theory]
    [InlineData(1, true, false)]
    [InlineData(2, false, false)]
    [InlineData(3, true, true)]
    [InlineData(4, false, true)]
    [InlineData(5, true, true)]
    [InlineData(6, false, true)]
    public async Task Sink_equals_server(int seed, bool stream, bool tls)
    {
        using var authority = new TestAuthority();
        var random = new Random(seed);
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { StreamsInitialState = stream, PagesFromCache = seed % 2 == 0, Certificate = tls ? authority.Issue("api.test") : null });
        var faults = new Random(seed + 1000); // Used under the lock of the server only.
        harness.Server.SetChaos(_ => Chaos.RandomFault(faults));
        harness.Start(
            ApiHarness.Fast with { PageSize = 7, Random = new Random(seed) },
            client: ApiHarness.FastClient with { AcceptContentTypes = seed % 3 == 0 ? WireFormats.Json : WireFormats.Protobuf },
            access: new ApiServerAccess { Server = harness.Server.Url, CertificateAuthority = SecretContent.OfData(System.Text.Encoding.UTF8.GetBytes(authority.Pem)) });
        for (var round = 0; round < 40; round++)
        {
            for (var i = random.Next(8); i >= 0; i--) Change(harness.Server, random);
            Chaos.Disturb(harness.Server, random);
            if (random.Next(3) == 0) await WaitForAnotherRequestAsync(harness);
        }

        harness.Server.SetChaos(null);
        harness.Server.Set("services", ApiObjects.Service("last"));
        harness.Server.CutConnections();
        await harness.Sink.AllSyncedAsync();
        await harness.ConvergeAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 0, "there is no problem any more");
    }

    private static async Task WaitForAnotherRequestAsync(ApiHarness harness)
    {
        var seen = harness.Server.Requests.Count;
        harness.Server.EndWatches();
        await harness.Server.WaitForRequestAsync(request => request.Number > seen).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    private static void Change(FakeApiServer server, Random random)
    {
        var number = random.Next(20);
        switch (random.Next(5))
        {
            case 0 or 1:
                server.Set("services", ApiObjects.Service($"svc-{number}", random.Next(6) == 0 ? "None" : $"10.0.0.{number}", random.Next(1, 99)));
                break;
            case 2:
                server.Delete("services", $"default/svc-{number}");
                break;
            case 3:
                server.Set("endpointslices", ApiObjects.Slice($"svc-{number}-x", $"svc-{number}", [$"10.244.0.{random.Next(250)}"]));
                break;
            default:
                server.Delete("endpointslices", $"default/svc-{number}-x");
                break;
        }
    }
}
