using KubeProxy.Kubernetes.Access;

namespace KubeProxy.Kubernetes.Tests;

public sealed class EnvironmentProxyTests
{
    [Theory]
    [InlineData("https://10.96.0.1", "", true)]
    [InlineData("https://10.96.0.1", "10.0.0.0/8", false)]
    [InlineData("https://10.96.0.1", "10.1.0.0/16,192.168.0.0/16", true)]
    [InlineData("https://10.96.0.1", "x, 10.96.0.1", false)]
    [InlineData("https://10.96.0.1:6443", "10.96.0.1:6443", false)]
    [InlineData("https://10.96.0.1:6443", "10.96.0.1:443", true)]
    [InlineData("https://[fd00::1]:6443", "fd00::/8", false)]
    [InlineData("https://[fd00::1]:6443", "[fd00::1]:6443", false)]
    [InlineData("https://api.example.org", "example.org", false)]
    [InlineData("https://api.example.org", ".example.org", false)]
    [InlineData("https://api.example.org", "*.example.org", false)]
    [InlineData("https://example.org", ".example.org", true)]
    [InlineData("https://badexample.org", "example.org", true)]
    [InlineData("https://API.Example.org", "EXAMPLE.org:443", false)]
    [InlineData("https://api.example.org", "*", false)]
    [InlineData("https://127.0.0.1:6443", "", false)]
    [InlineData("https://localhost:6443", "", false)]
    [InlineData("http://10.96.0.1", "", false)]
    public void No_proxy_is_read_as_upstream_reads_it(string server, string noProxy, bool proxied)
    {
        var variables = new Dictionary<string, string?> { ["https_proxy"] = "proxy.test:3128", ["NO_PROXY"] = noProxy };
        Assert.Equal(proxied ? "http://proxy.test:3128/" : null, EnvironmentProxy.For(new Uri(server), variables.GetValueOrDefault)?.ToString());
    }

    [Fact]
    public void Variable_that_holds_no_address_is_named()
    {
        var failure = Assert.Throws<ApiAccessException>(() => EnvironmentProxy.For(new Uri("http://10.0.0.1"), name => name == "HTTP_PROXY" ? "ftp://x" : null));
        Assert.Equal("HTTP_PROXY: \"ftp://x\" is not an http, https or socks5 address", failure.Message);
    }
}
