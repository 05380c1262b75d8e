using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>
/// Whether packets pass the rules of their family inside of a bridge, before they are this host's: br_netfilter, switched on for
/// the network namespace or for single bridges. Nobody tells when that changes, so it is looked at every few seconds.
/// </summary>
internal sealed class BridgeFiltering(KernelSettings kernel, IpFamily family, TimeProvider time) : IDisposable
{
    private const string Devices = "sys/class/net";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly string _tables = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
    private ITimer? _timer;
    private volatile bool _isOn;

    /// <summary>What was seen last.</summary>
    public bool IsOn => _isOn;

    /// <summary>Looks, and goes on looking.</summary>
    /// <param name="requestSync">Called on a thread of the pool when it changed.</param>
    public void Watch(Action<string> requestSync)
    {
        _isOn = Read();
        _timer ??= time.CreateTimer(_ => Look(requestSync), null, Interval, Interval);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private void Look(Action<string> requestSync)
    {
        var isOn = Read();
        if (isOn == _isOn) return;
        _isOn = isOn;
        requestSync($"packets on bridges {(isOn ? "pass" : "no longer pass")} the rules of {_tables}");
    }

    private bool Read() =>
        kernel.ReadNumber($"proc/sys/net/bridge/bridge-nf-call-{_tables}") is > 0
        || kernel.List(Devices).Any(device => kernel.ReadNumber($"{Devices}/{device}/bridge/nf_call_{_tables}") is > 0);
}
