using System.Text;
using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Host.Http;

namespace KubeProxy.Host.Tests.Http;

public sealed class HealthBodyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, 600, TimeSpan.Zero);

    private static ProxyHealthReport Report(bool healthy, params (IpFamily Family, bool Healthy)[] families) => new()
    {
        CurrentTime = Now,
        LastUpdated = families.Length == 0 ? DateTimeOffset.MinValue : Now.AddSeconds(-1),
        Healthy = healthy,
        NodeEligible = true,
        Families = families.ToDictionary(family => family.Family, family => new FamilyHealth(Now.AddSeconds(-1), family.Healthy)),
    };

    [Fact]
    public void A_healthy_proxy_was_updated_now() => Assert.Equal(
        """{"lastUpdated":"2026-01-02T03:04:05.6Z","currentTime":"2026-01-02T03:04:05.6Z","nodeEligible":true,"healthy":true,"status":{"IPv4":{"lastUpdated":"2026-01-02T03:04:04.6Z","healthy":true},"IPv6":{"lastUpdated":"2026-01-02T03:04:04.6Z","healthy":true}}}""",
        Encoding.UTF8.GetString(HealthEndpoints.Body(Report(true, (IpFamily.IPv6, true), (IpFamily.IPv4, true)), 200, true).Span));

    [Fact]
    public void An_unhealthy_proxy_was_updated_at_its_last_sync() => Assert.Equal(
        """{"lastUpdated":"2026-01-02T03:04:04.6Z","currentTime":"2026-01-02T03:04:05.6Z","healthy":false,"status":{"IPv4":{"lastUpdated":"2026-01-02T03:04:04.6Z","healthy":false}},"reasons":["IPv4: a change has waited for too long"]}""",
        Encoding.UTF8.GetString(HealthEndpoints.Body(Report(false, (IpFamily.IPv4, false)), 503, null).Span));

    [Fact]
    public void Without_families_there_is_no_status_and_the_zero_time() => Assert.Equal(
        """{"lastUpdated":"0001-01-01T00:00:00Z","currentTime":"2026-01-02T03:04:05.6Z","nodeEligible":false,"healthy":true,"reasons":["no Node object of this name has been seen, or it is being deleted or tainted ToBeDeletedByClusterAutoscaler"]}""",
        Encoding.UTF8.GetString(HealthEndpoints.Body(Report(true), 503, false).Span));

    [Theory]
    [InlineData(2, true, 200)]
    [InlineData(2, false, 503)]
    [InlineData(0, true, 503)]
    public void A_service_tells_its_local_endpoints(int endpoints, bool healthy, int status)
    {
        var reply = ServiceHealthServer.Answer(new NamespacedName("ns", "web"), endpoints, healthy);
        Assert.Equal((status, "application/json"), (reply.Status, reply.ContentType));
        Assert.Equal(KeyValuePair.Create("X-Load-Balancing-Endpoint-Weight", $"{endpoints}"), Assert.Single(reply.Headers));
        Assert.Equal(
            $"{{\n\t\"service\": {{\n\t\t\"namespace\": \"ns\",\n\t\t\"name\": \"web\"\n\t}},\n\t\"localEndpoints\": {endpoints},\n\t\"serviceProxyHealthy\": {(healthy ? "true" : "false")}\n}}",
            Encoding.UTF8.GetString(reply.Body.Span));
    }

    [Fact]
    public void Health_checks_listen_in_the_blocks_of_node_ports()
    {
        IpAddr[] addresses = [IpAddr.Parse("192.0.2.1"), IpAddr.Parse("10.0.0.1"), IpAddr.Parse("fd00::1")];
        Assert.Equal(["10.0.0.1:0"], HealthCheckAddresses.Of(IpFamily.IPv4, [Cidr.Parse("10.0.0.0/8")], addresses).Select(address => address.ToString()));
        Assert.Equal(["0.0.0.0:0"], HealthCheckAddresses.Of(IpFamily.IPv4, [], addresses).Select(address => address.ToString()));
        Assert.Equal(["[::]:0"], HealthCheckAddresses.Of(IpFamily.IPv6, [Cidr.Parse("fd01::/16")], addresses).Select(address => address.ToString()));
    }
}
