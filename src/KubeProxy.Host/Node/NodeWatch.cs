using KubeProxy.Core.Kubernetes;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Node;

/// <summary>Follows this node's object: says what changes, and who has to know.</summary>
/// <param name="nodeName">The name of this node.</param>
/// <param name="podCidrsMatter">Whether another <c>spec.podCIDRs</c> ends the process.</param>
/// <param name="logger">Where to log.</param>
internal sealed partial class NodeWatch(string nodeName, bool podCidrsMatter, ILogger<NodeWatch> logger)
{
    private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<string>? _podCidrs;
    private string[] _addresses = [];

    /// <summary>Raised with the object each time.</summary>
    public event Action<Core.Kubernetes.Node>? Looked;

    /// <summary>Raised after the addresses of the object changed.</summary>
    public event Action? AddressesChanged;

    /// <summary>Raised when the process has to start again with other pod blocks.</summary>
    public event Action? PodCidrsChanged;

    /// <summary>Completes when the object is there and has an address.</summary>
    public Task Seen => _seen.Task;

    /// <summary>The addresses of the object, as it has them: internal ones first.</summary>
    public IReadOnlyList<string> Addresses => _addresses;

    /// <summary>The object is there, or another now.</summary>
    public void Look(Core.Kubernetes.Node node)
    {
        LookAtPodCidrs(node.Spec.PodCidrs);
        Looked?.Invoke(node);
        string[] addresses =
        [
            .. node.Status.Addresses.Where(address => address.Type == "InternalIP").Select(address => address.Address ?? ""),
            .. node.Status.Addresses.Where(address => address.Type == "ExternalIP").Select(address => address.Address ?? ""),
        ];
        var before = _addresses;
        if (addresses.AsSpan().SequenceEqual(before)) return;
        _addresses = addresses;
        var (old, now) = (string.Join(", ", before), string.Join(", ", addresses));
        if (before.Length > 0) LogAddresses(nodeName, old, now);
        AddressesChanged?.Invoke();
        if (addresses.Length > 0) _seen.TrySetResult();
    }

    /// <summary>The object is gone.</summary>
    public void Forget() => LogDeleted(nodeName);

    private void LookAtPodCidrs(IReadOnlyList<string> podCidrs)
    {
        if (!podCidrsMatter || podCidrs.Count == 0) return;
        _podCidrs ??= podCidrs;
        if (_podCidrs.SequenceEqual(podCidrs)) return;
        LogPodCidrs(nodeName, string.Join(", ", _podCidrs), string.Join(", ", podCidrs));
        PodCidrsChanged?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The addresses of node {Node} are now {Addresses} (were {Before})")]
    private partial void LogAddresses(string node, string before, string addresses);

    [LoggerMessage(Level = LogLevel.Error, Message = "Node {Node} has other spec.podCIDRs now: {PodCidrs} (were {Before}); ending, to start with these")]
    private partial void LogPodCidrs(string node, string before, string podCidrs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {Node} was deleted; what is known of it stays in force")]
    private partial void LogDeleted(string node);
}
