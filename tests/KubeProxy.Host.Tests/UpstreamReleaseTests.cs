using System.Net;
using System.Text.Json.Nodes;
using KubeProxy.Host.Composition;
using KubeProxy.Host.Configuration;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Host.Tests;

/// <summary>Files and lists of gates that are valid for newer releases of upstream start the program.</summary>
public sealed class UpstreamReleaseTests : ProgramTests
{
    // One list for all components of a cluster, as kind, kubespray and others write it.
    private const string Gates138 = """
        featureGates:
          AllAlpha: false
          AllowServiceExternalIPs: true
          CBORServingAndStorage: true
          ComponentFlagz: true
          ComponentStatusz: true
          DynamicResourceAllocation: true
          InPlacePodVerticalScaling: true
          KubeProxyIPVS: true
          KubeProxyNFTablesLocalhostNodePorts: true
          ManagedFieldsOptOut: true
          NFTablesNetlink: true
          NativeHistograms: true
          RelaxedServiceNameValidation: true
          StrictIPCIDRValidation: true
          UserNamespacesSupport: false
          WatchListCompression: true
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1.35")]
    [InlineData("1.36")]
    public async Task A_file_of_1_37_with_gates_of_1_38_starts_it(string hidden)
    {
        var (healthz, metrics) = (FreePort(), FreePort());
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        var file = WriteFile("config.conf", $$"""
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            bindAddress: 0.0.0.0
            bindAddressHardFail: false
            clientConnection: {acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: "", qps: 0}
            clusterCIDR: 10.244.0.0/16,fd00:10:244::/56
            configSyncPeriod: 0s
            conntrack: {maxPerCore: 0, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s, udpStreamTimeout: 0s, udpTimeout: 0s}
            detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}
            detectLocalMode: ""
            enableProfiling: false
            healthzBindAddress: 127.0.0.1:{{healthz}}
            hostnameOverride: node1
            iptables: {localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
            ipvs: {excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false, syncPeriod: 0s, tcpFinTimeout: 0s, tcpTimeout: 0s, udpTimeout: 0s}
            logging: {flushFrequency: 0, options: {json: {infoBufferSize: "0"}, text: {infoBufferSize: "0"} }, verbosity: 0}
            metricsBindAddress: 127.0.0.1:{{metrics}}
            mode: nftables
            nftables: {masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
            nodePortAddresses: null
            oomScoreAdj: null
            portRange: ""
            showHiddenMetricsForVersion: "{{hidden}}"
            winkernel: {enableDSR: false, forwardHealthCheckVip: false, networkName: "", rootHnsEndpointName: "", sourceVip: ""}
            {{Gates138}}
            """);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync(["--config", file, "--manifests", Path.Combine(Directory, "m")], stop.Token);
        await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK);
        var log = ReadLog();
        Assert.Contains(
            $"{file}: featureGates: not of this component, without effect: DynamicResourceAllocation, InPlacePodVerticalScaling, ManagedFieldsOptOut, "
            + "RelaxedServiceNameValidation, StrictIPCIDRValidation, UserNamespacesSupport, WatchListCompression",
            log, StringComparison.Ordinal);
        Assert.DoesNotContain("no mode is set", log, StringComparison.Ordinal);
        var inForce = ConfigurationFile.Read(file, out _);
        Assert.True(FeatureGates.IsEnabled(inForce, "KubeProxyNFTablesLocalhostNodePorts"));
        Assert.False(FeatureGates.IsEnabled(new KubeProxyConfiguration(), "KubeProxyNFTablesLocalhostNodePorts"));
        Assert.True(FeatureGates.IsEnabled(new KubeProxyConfiguration(), "NFTablesNetlink"));
        Assert.Contains("see /configz", await EventuallyAsync($"http://127.0.0.1:{metrics}/flagz", HttpStatusCode.OK), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task Gates_on_the_command_line_are_warned_of_too()
    {
        Assert.Equal(0, await RunAsync("--proxy-mode=nftables", "--feature-gates=SomeGateOf1dot39=true", "--write-config-to", Path.Combine(Directory, "out")));
        Assert.Contains("Command line: featureGates: not of this component, without effect: SomeGateOf1dot39", ReadLog(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("--proxy-mode=nftables", "--feature-gates=Some-Gate=true", "--init-only"));
        Assert.Equal(1, await RunAsync("--proxy-mode=nftables", "--feature-gates=SomeGate", "--init-only"));
        Assert.Equal(1, await RunAsync("--proxy-mode=nftables", "--feature-gates=SomeGate=perhaps", "--init-only"));
    }

    [Theory]
    [InlineData("mode: \"\"\n", true)]
    [InlineData("mode: iptables\n", false)]
    public async Task A_mode_that_is_not_set_is_a_warning_in_log_and_event(string mode, bool isWarned)
    {
        await using var server = await FakeApiServer.StartAsync();
        server.Set("nodes", ApiObjects.Node("node1"));
        var metrics = FreePort();
        var arguments = Arguments(FreePort(), metrics);
        await File.WriteAllTextAsync(
            arguments[1], (await File.ReadAllTextAsync(arguments[1], Cancel)).Replace("mode: nftables\n", mode, StringComparison.Ordinal), Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync([.. arguments[..2], "--master", server.Url.ToString()], stop.Token);
        await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK);
        await server.WaitForRequestAsync(request => request.Body.Contains("\"Starting\"", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        if (isWarned)
        {
            var told = await server.WaitForRequestAsync(request => request.Body.Contains("ProxyModeNotSet", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
            var body = JsonNode.Parse(told.Body)!;
            Assert.Equal(("Node", "node1", "Warning"), ((string?)body["regarding"]!["kind"], (string?)body["regarding"]!["name"], (string?)body["type"]));
            Assert.Contains("nftables in 1.40", (string?)body["note"], StringComparison.Ordinal);
        }

        Assert.Equal("iptables", await EventuallyAsync($"http://127.0.0.1:{metrics}/proxyMode", HttpStatusCode.OK));
        await stop.CancelAsync();
        Assert.Equal(0, await run);
        Assert.Equal(isWarned, ReadLog().Contains("no mode is set", StringComparison.Ordinal));
        Assert.Equal(isWarned, server.Requests.Any(request => request.Body.Contains("ProxyModeNotSet", StringComparison.Ordinal)));
        Assert.All(server.Requests, request => Assert.Matches(@"^kube-proxy/v1\.37\.0 \(linux/[a-z0-9]+\) kubeproxy-dotnet/\S+$", request.UserAgent));
    }

    [Fact]
    public void Ipvs_without_its_gate_is_refused()
    {
        var configuration = ConfigurationDefaults.Apply(new KubeProxyConfiguration { Mode = ProxyMode.Nftables });
        configuration.FeatureGates["KubeProxyIPVS"] = false;
        ConfigurationDefaults.ApplyPlatform(configuration);
        Assert.Empty(ConfigurationValidator.Validate(EffectiveConfiguration.From(configuration)));
    }
}
