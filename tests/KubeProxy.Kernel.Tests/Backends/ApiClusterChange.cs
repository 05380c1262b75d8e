using System.Text.Json.Nodes;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Random changes of a cluster: Services with everything that a proxy looks at, their slices, and the Node.</summary>
internal static class ApiClusterChange
{
    private const int Services = 40;

    public static void Make(FakeApiServer server, Random random)
    {
        var number = random.Next(Services);
        switch (random.Next(10))
        {
            case 0:
                server.Delete("services", $"default/svc-{number}");
                break;
            case 1:
                server.Delete("endpointslices", $"default/svc-{number}-{random.Next(2)}");
                break;
            case 2 or 3 or 4:
                server.Set("services", Service(random, number));
                break;
            case 5:
                server.Set("nodes", Node(random.Next(2) == 0 ? "zone-a" : "zone-b"));
                break;
            default:
                server.Set("endpointslices", Slice(random, number));
                break;
        }
    }

    /// <summary>The node, in a zone.</summary>
    public static JsonObject Node(string zone)
    {
        var node = ApiObjects.Node("node1");
        node["metadata"]!["labels"]!["topology.kubernetes.io/zone"] = zone;
        return node;
    }

    private static JsonObject Service(Random random, int number)
    {
        var service = ApiObjects.Service($"svc-{number}", $"10.96.0.{number}", random.Next(3) == 0 ? 8081 : 80);
        var spec = service["spec"]!;
        if (number % 2 == 0)
        {
            spec["clusterIPs"] = new JsonArray($"10.96.0.{number}", $"fd00:10:96::{number:x}");
            spec["ipFamilies"] = new JsonArray("IPv4", "IPv6");
        }

        if (random.Next(3) == 0) spec["internalTrafficPolicy"] = "Local";
        if (random.Next(4) == 0)
        {
            spec["sessionAffinity"] = "ClientIP";
            spec["sessionAffinityConfig"] = new JsonObject { ["clientIP"] = new JsonObject { ["timeoutSeconds"] = 600 } };
        }

        if (random.Next(2) == 0) MakeExternal(random, number, service);
        return service;
    }

    private static void MakeExternal(Random random, int number, JsonObject service)
    {
        var spec = service["spec"]!;
        spec["type"] = "LoadBalancer";
        spec["externalTrafficPolicy"] = random.Next(2) == 0 ? "Local" : "Cluster";
        spec["ports"]![0]!["nodePort"] = 30000 + number;
        spec["externalIPs"] = new JsonArray($"198.51.100.{number}");
        if (random.Next(2) == 0) spec["loadBalancerSourceRanges"] = new JsonArray("192.0.2.0/24", $"10.{number}.0.0/16");
        service["status"] = new JsonObject { ["loadBalancer"] = new JsonObject { ["ingress"] = new JsonArray(new JsonObject { ["ip"] = $"203.0.113.{number}" }) } };
    }

    private static JsonObject Slice(Random random, int number)
    {
        var isV6 = number % 2 == 0 && random.Next(2) == 0;
        var hosts = Enumerable.Range(0, random.Next(6)).Select(_ => random.Next(1, 250)).Distinct();
        var slice = ApiObjects.Slice($"svc-{number}-{(isV6 ? 1 : 0)}", $"svc-{number}", hosts.Select(host => isV6 ? $"fd00:10:244::{host:x}" : $"10.244.0.{host}"));
        if (isV6) slice["addressType"] = "IPv6";
        foreach (var endpoint in slice["endpoints"]!.AsArray())
        {
            var ready = random.Next(4) > 0;
            endpoint!["conditions"] = new JsonObject { ["ready"] = ready, ["serving"] = random.Next(4) > 0, ["terminating"] = !ready };
            endpoint["nodeName"] = random.Next(2) == 0 ? "node1" : "node2";
            if (random.Next(2) == 0) endpoint["hints"] = new JsonObject { ["forZones"] = new JsonArray(new JsonObject { ["name"] = $"zone-{(random.Next(2) == 0 ? 'a' : 'b')}" }) };
        }

        return slice;
    }
}
