using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;
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
    ILogger<StartAdvice> logger) : BackgroundService
{
    /// <summary>How long upstream waits for the node and its addresses.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
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
