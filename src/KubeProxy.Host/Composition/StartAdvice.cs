using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Events;
using KubeProxy.Host.Node;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Says what seems wrong once the node's addresses are known, or after the time that upstream waits for them. Rules do not wait
/// for it.
/// </summary>
internal sealed partial class StartAdvice(
    CurrentConfiguration configuration, NodeWatch node, NodeSettings settings, bool isDualStack, Func<IReadOnlyList<string>> getPodCidrs, TimeProvider time,
    EventRecorder events, ILogger<StartAdvice> logger) : BackgroundService
{
    /// <summary>How long upstream waits for the node and its addresses.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string ImpliedMode =
        "no mode is set, and iptables is used: the default of Kubernetes becomes nftables in 1.40. Set mode (--proxy-mode) to iptables to keep it, or to nftables";

    // Upstream's event; that its program will have the mode no longer is nothing that this one has to log.
    private const string DeprecatedMode =
        "mode ipvs is deprecated in Kubernetes: it is off by default from 1.40 on and gone in 1.43. Consider mode nftables (kube-proxy migrate --to nftables says what it changes)";

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(AdviseOnModeAsync(stoppingToken), AdviseOnNodeAsync(stoppingToken));

    private async Task AdviseOnModeAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (configuration.Value.Mode == ProxyMode.Ipvs) await events.AboutNodeAsync("Warning", "IPVSDeprecation", DeprecatedMode, stoppingToken);
        if (!configuration.Value.IsModeImplied) return;
        LogAdvice(ImpliedMode);
        await events.AboutNodeAsync("Warning", "ProxyModeNotSet", ImpliedMode, stoppingToken);
    }

    private async Task AdviseOnNodeAsync(CancellationToken stoppingToken)
    {
        try
        {
            await node.Seen.WaitAsync(Patience, time, stoppingToken);
        }
        catch (TimeoutException)
        {
            LogNoAddress(settings.NodeName, Patience.TotalSeconds);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        var (primary, podCidrs) = (Primary(), getPodCidrs());
        foreach (var advice in ConfigurationAdvice.OnNodePorts(configuration.Value, primary, podCidrs)) LogAdvice(advice.Message);
        foreach (var advice in ConfigurationAdvice.OnFamilies(configuration.Value, primary, isDualStack, podCidrs)) LogAdvice(advice.Message);
    }

    private IpFamily Primary()
    {
        if (settings.BindAddress is { } bound) return bound.Family;
        return node.Addresses is [var text, ..] && IpAddr.TryParse(text, out var first) ? first.Family : IpFamily.IPv4;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Node {Node} has not been seen with an address for {Seconds} s; going on without")]
    private partial void LogNoAddress(string node, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Configuration: {Advice}")]
    private partial void LogAdvice(string advice);
}
