using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace KubeProxy.ApiBenchmark;

/// <summary>The server: in a process of its own, so that the reader's numbers are the reader's.</summary>
internal static class Serving
{
    public static async Task<int> RunAsync(int services, int endpoints, int port, string? caFile, bool obey = false, bool affinity = false)
    {
        using var authority = new TestAuthority();
        if (caFile is not null) await File.WriteAllTextAsync(caFile, authority.Pem);
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions
        {
            Port = port,
            Bind = endPoint => SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(IPAddress.Any, ((IPEndPoint)endPoint).Port)),
            PagesFromCache = true,
            Compresses = true,
            DropsManagedFields = true,
            Certificate = caFile is null ? null : authority.Issue("api.test"),
        });
        server.Fill("services", Enumerable.Range(0, services).Select(i => WithHistory(Service(i, affinity), i, ServiceFields)));
        server.Fill("endpointslices", Enumerable.Range(0, services).Select(i => Slice(i, Addresses(i, endpoints))));
        server.Set("nodes", ApiObjects.Node("node1"));
        server.Set("servicecidrs", ApiObjects.ServiceCidr("kubernetes", "10.0.0.0/8"));
        // A server that has been up for a while: what it needs for the first answer is compiled.
        foreach (var type in new[] { "application/json", "application/vnd.kubernetes.protobuf" })
        {
            for (var i = 0; i < 3; i++) await Parsing.ReadAsync(server.Url, caFile, stream: true, type);
        }

        GC.Collect();
        Console.WriteLine($"{server.Url}");
        if (obey) await ObeyAsync(server, services, endpoints);
        else await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>The cluster IP of a service that came later.</summary>
    public static string AddressOf(int number) => $"10.200.{number >> 8}.{number & 255}";

    /// <summary>The port of all endpoints.</summary>
    private const int EndpointPort = 8080;

    /// <summary>The port of all services.</summary>
    public const int ServicePort = 80;

    /// <summary>Makes a service whose one endpoint is this process.</summary>
    public static void Change(FakeApiServer server, int number)
    {
        server.Set("services", ApiObjects.Service($"late-{number}", AddressOf(number)));
        server.Set("endpointslices", ApiObjects.Slice($"late-{number}-abcde", $"late-{number}", [Namespaces.ServerAddress]));
    }

    /// <summary>Does what the standard input says, a line each, and says when it is done.</summary>
    private static async Task ObeyAsync(FakeApiServer server, int services, int endpoints)
    {
        using var endpoint = new TcpListener(IPAddress.Any, EndpointPort);
        endpoint.Start();
        while (await Console.In.ReadLineAsync() is { } command)
        {
            switch (command.Split(' '))
            {
                case ["churn", var rate, var seconds]:
                    await ChurnAsync(server, services, endpoints, Number(rate), TimeSpan.FromSeconds(Number(seconds)));
                    break;
                case ["stop"]:
                    await server.PauseAsync();
                    break;
                case ["start"]:
                    await server.ResumeAsync();
                    break;
                case ["compact"]:
                    server.Compact();
                    break;
                case ["change", var number]:
                    Change(server, Number(number));
                    break;
            }

            Console.WriteLine("done");
        }
    }

    /// <summary>Changes one endpoint of one service after the other, so many a second.</summary>
    private static async Task ChurnAsync(FakeApiServer server, int services, int endpoints, int rate, TimeSpan duration)
    {
        var start = Stopwatch.GetTimestamp();
        for (var number = 0; number < rate * duration.TotalSeconds; number++)
        {
            var late = TimeSpan.FromSeconds((double)number / rate) - Stopwatch.GetElapsedTime(start);
            if (late > TimeSpan.Zero) await Task.Delay(late);
            var service = (int)((uint)(number * 7919) % (uint)services);
            string[] addresses = [.. Addresses(service, endpoints)];
            addresses[number % endpoints] = $"12.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}";
            server.Set("endpointslices", Slice(service, addresses));
        }
    }

    private static JsonObject Service(int number, bool affinity)
    {
        var service = ApiObjects.Service($"service-{number}", $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}");
        if (affinity) service["spec"]!["sessionAffinity"] = "ClientIP";
        return service;
    }

    private static JsonObject Slice(int service, IEnumerable<string> addresses) =>
        WithHistory(ApiObjects.Slice($"service-{service}-abcde", $"service-{service}", addresses), service, SliceFields);

    private static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private const string ServiceFields =
        """{"f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/last-applied-configuration":{}},"f:labels":{".":{},"f:app":{},"f:app.kubernetes.io/managed-by":{}}},"f:spec":{"f:internalTrafficPolicy":{},"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},"f:selector":{},"f:sessionAffinity":{},"f:type":{}}}""";

    private const string SliceFields =
        """{"f:addressType":{},"f:endpoints":{},"f:metadata":{"f:annotations":{".":{},"f:endpoints.kubernetes.io/last-change-trigger-time":{}},"f:generateName":{},"f:labels":{".":{},"f:endpointslice.kubernetes.io/managed-by":{},"f:kubernetes.io/service-name":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"0b6a4a53-9d13-4d0e-92f4-6f7b8f2f4e11\"}":{}}},"f:ports":{}}""";

    /// <summary>With identifiers of its own, and with managedFields as large as those that controllers leave.</summary>
    private static JsonObject WithHistory(JsonObject value, int number, string fields)
    {
        var random = new Random(number);
        var metadata = value["metadata"]!.AsObject();
        metadata["uid"] = Identifier(random);
        metadata["managedFields"] = new JsonArray(new JsonObject
        {
            ["manager"] = "kube-controller-manager", ["operation"] = "Update", ["apiVersion"] = "v1", ["time"] = $"2026-01-{1 + random.Next(28):00}T{random.Next(24):00}:{random.Next(60):00}:{random.Next(60):00}Z",
            ["fieldsType"] = "FieldsV1", ["fieldsV1"] = JsonNode.Parse(fields),
        });
        foreach (var endpoint in value["endpoints"]?.AsArray() ?? []) endpoint!["targetRef"]!["uid"] = Identifier(random);
        return value;
    }

    private static string Identifier(Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes).ToString();
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
