using KubeProxy.Core.Sync;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Waits for the node's <c>spec.podCIDRs</c>, which <c>detectLocalMode: NodeCIDR</c> needs before there can be rules, says so as
/// long as it waits, and gives up in the end. Thread-safe.
/// </summary>
/// <param name="nodeName">The name of this node.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to say it.</param>
internal sealed partial class PodCidrWait(string nodeName, TimeProvider time, ILogger<PodCidrWait> logger) : BackgroundService
{
    /// <summary>How long to wait, as upstream does.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>How often it is said.</summary>
    public static readonly TimeSpan SayPeriod = TimeSpan.FromSeconds(15);

    private readonly TaskCompletionSource<IReadOnlyList<string>> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isNodeSeen;

    /// <summary>The blocks; empty as long as they are not known.</summary>
    public IReadOnlyList<string> Known => _found.Task.IsCompletedSuccessfully ? _found.Task.Result : [];

    /// <summary>What is waited for; null when nothing is.</summary>
    public string? Reason => _found.Task.IsCompletedSuccessfully ? null
        : _isNodeSeen ? $"node {nodeName} has no spec.podCIDRs, which detectLocalMode NodeCIDR needs"
        : $"there is no Node {nodeName}, whose spec.podCIDRs detectLocalMode NodeCIDR needs";

    /// <summary>The Node object of this node, as it is now.</summary>
    public void Look(Core.Kubernetes.Node node)
    {
        var isNew = !_isNodeSeen;
        _isNodeSeen = true;
        if (node.Spec.PodCidrs.Count > 0) _found.TrySetResult(node.Spec.PodCidrs);
        else if (isNew) Say();
    }

    /// <summary>The blocks, as soon as they are known.</summary>
    /// <exception cref="ProxyBackendException">They did not come in time.</exception>
    public Task<IReadOnlyList<string>> GetAsync(CancellationToken cancellationToken) => _found.Task.WaitAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        for (var waited = TimeSpan.Zero; waited < Patience; waited += SayPeriod)
        {
            if (_found.Task.IsCompleted) return;
            Say();
            await Task.WhenAny(_found.Task, Task.Delay(SayPeriod, time, stoppingToken));
            if (stoppingToken.IsCancellationRequested) return;
        }

        if (Reason is { } reason) _found.TrySetException(new ProxyBackendException($"{reason}; waited {Patience.TotalMinutes:0} minutes"));
    }

    private void Say()
    {
        if (Reason is { } reason) LogWaiting(reason);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting, no rule is written before: {Reason}")]
    private partial void LogWaiting(string reason);
}
