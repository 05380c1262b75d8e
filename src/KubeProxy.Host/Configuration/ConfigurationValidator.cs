using System.Globalization;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Configuration;

/// <summary>Checks a configuration with defaults, all fields, and reports everything wrong. Paths are upstream's.</summary>
public sealed class ConfigurationValidator
{
    private const string Root = "KubeProxyConfiguration";
    private const string Linux = "KubeProxyLinuxConfiguration.";

    private readonly EffectiveConfiguration _effective;
    private readonly KubeProxyConfiguration _source;
    private readonly List<ConfigurationProblem> _problems = [];

    private ConfigurationValidator(EffectiveConfiguration effective) => (_effective, _source) = (effective, effective.Source);

    /// <summary>Everything wrong; empty when the configuration can be used.</summary>
    public static IReadOnlyList<ConfigurationProblem> Validate(EffectiveConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var validator = new ConfigurationValidator(configuration);
        validator.Validate();
        return validator._problems;
    }

    private void Validate()
    {
        foreach (var (gate, value) in _source.FeatureGates)
            if (FeatureGates.Refuse(gate, value) is { } reason) Invalid("featureGates", gate, reason);
        CheckModes();
        CheckLinux();
        if (_source.ClientConnection.Burst < 0) Invalid("ClientConnection.Burst", _source.ClientConnection.Burst, "must be non-negative");
        CheckLogging();
        CheckAddresses();
        CheckPeriods();
        CheckDetectLocal();
        CheckNodePortAddresses();
        for (var i = 0; i < _source.VipRanges.Count; i++)
            if (!IpRange.TryParse(_source.VipRanges[i], out _, out var problem)) _problems.Add(new ConfigurationProblem($"--vip-ranges[{i}]", $"'{_source.VipRanges[i]}' {problem}"));
    }

    private void CheckModes()
    {
        CheckRange("KubeProxyIPTablesConfiguration.MasqueradeBit", _source.Iptables.MasqueradeBit, 0, 31);
        if (_source.Mode == ProxyMode.Nftables)
            CheckRange("KubeProxyNFTablesConfiguration.MasqueradeBit", _source.Nftables.MasqueradeBit, 0, 31);
        if (_source.Mode == ProxyMode.Ipvs) CheckIpvs(_source.Ipvs);
        if (_source.UdpIdleTimeout <= GoDuration.Zero) Invalid("UDPIdleTimeout", _source.UdpIdleTimeout, "must be greater than 0");
        if (_source.Mode is not (ProxyMode.Iptables or ProxyMode.Ipvs or ProxyMode.Nftables or ProxyMode.Userspace))
            Invalid("Mode.ProxyMode", _source.Mode, "must be iptables, ipvs, nftables or userspace");
        if (_source.Mode == ProxyMode.Ipvs && !FeatureGates.IsEnabled(_source, FeatureGates.KubeProxyIpvs))
            Invalid("Mode.ProxyMode", _source.Mode, $"must be iptables, nftables or userspace: feature {FeatureGates.KubeProxyIpvs} is disabled");
    }

    private void CheckIpvs(IpvsConfiguration ipvs)
    {
        const string Section = "KubeProxyIPVSConfiguration.";
        CheckNotNegative(Section + "TCPTimeout", ipvs.TcpTimeout);
        CheckNotNegative(Section + "TCPFinTimeout", ipvs.TcpFinTimeout);
        CheckNotNegative(Section + "UDPTimeout", ipvs.UdpTimeout);
        for (var i = 0; i < ipvs.ExcludeCIDRs.Count; i++)
            if (!Cidr.TryParse(ipvs.ExcludeCIDRs[i], out _))
                Invalid($"{Section}ExcludeCidrs[{i}]", ipvs.ExcludeCIDRs[i], "must be a valid IP block");
    }

    private void CheckLinux()
    {
        CheckRange(Linux + "OOMScoreAdj", _source.OomScoreAdj, -1000, 1000);
        const string Section = Linux + "KubeProxyConntrackConfiguration.";
        var conntrack = _source.Conntrack;
        CheckRange(Section + "MaxPerCore", conntrack.MaxPerCore, 0, int.MaxValue);
        CheckRange(Section + "Min", conntrack.Min, 0, int.MaxValue);
        CheckNotNegative(Section + "TCPEstablishedTimeout", conntrack.TcpEstablishedTimeout ?? GoDuration.Zero);
        CheckNotNegative(Section + "TCPCloseWaitTimeout", conntrack.TcpCloseWaitTimeout ?? GoDuration.Zero);
        CheckNotNegative(Section + "UDPTimeout", conntrack.UdpTimeout);
        CheckNotNegative(Section + "UDPStreamTimeout", conntrack.UdpStreamTimeout);
    }

    private void CheckLogging()
    {
        var logging = _source.Logging;
        var isText = logging.Format == "text";
        if (!isText && logging.Format != "json") Invalid("logging.format", logging.Format, "must be text or json");
        if (logging.Format == "json" && !FeatureGates.IsEnabled(_source, "LoggingBetaOptions"))
            Invalid("logging.format", logging.Format, "feature LoggingBetaOptions is disabled");
        if (logging.FlushFrequency <= GoDuration.Zero) Invalid("logging.flushFrequency", logging.FlushFrequency, "must be positive");
        if (logging.Verbosity > int.MaxValue) Invalid("logging.verbosity", logging.Verbosity, $"must be at most {int.MaxValue}");
        if (!isText && logging.Vmodule.Count > 0) Invalid("logging.vmodule", "", "only supported for text log format");
        for (var i = 0; i < logging.Vmodule.Count; i++) CheckVModule($"logging.vmodule[{i}]", logging.Vmodule[i]);
        CheckLoggingOptions("logging.options.text", logging.Options.Text);
        CheckLoggingOptions("logging.options.json", logging.Options.Json);
    }

    private void CheckVModule(string path, VModuleItem item)
    {
        if (item.FilePattern.Length == 0) Problem(path, "Required value: file pattern must not be empty");
        if (item.FilePattern.AsSpan().ContainsAny('=', ',')) Invalid(path, item.FilePattern, "file pattern must not contain equal sign or comma");
        if (item.Verbosity > int.MaxValue) Invalid(path, item.Verbosity, $"verbosity must be at most {int.MaxValue}");
    }

    private void CheckLoggingOptions(string path, LoggingFormatOptions options)
    {
        if (FeatureGates.IsEnabled(_source, "LoggingAlphaOptions")) return;
        if (options.SplitStream) Problem($"{path}.splitStream", "Forbidden: feature LoggingAlphaOptions is disabled");
        if (options.InfoBufferSize.Value != 0) Problem($"{path}.infoBufferSize", "Forbidden: feature LoggingAlphaOptions is disabled");
    }

    private void CheckAddresses()
    {
        if (!IpAddr.TryParse(_source.BindAddress, out _)) Invalid("BindAddress", _source.BindAddress, "not a valid textual representation of an IP address");
        if (_source.HealthzBindAddress.Length > 0) CheckHostPort("HealthzBindAddress", _source.HealthzBindAddress);
        CheckHostPort("MetricsBindAddress", _source.MetricsBindAddress);
        var hidden = _source.ShowHiddenMetricsForVersion;
        if (hidden is not ("" or KubernetesVersion.ThisMinor or KubernetesVersion.PreviousMinor or KubernetesVersion.PreviousMinorBefore))
            Invalid("ShowHiddenMetricsForVersion", hidden, $"must be omitted or have the value {KubernetesVersion.PreviousMinor} (or {KubernetesVersion.PreviousMinorBefore} or {KubernetesVersion.ThisMinor})");
    }

    private void CheckHostPort(string path, string text)
    {
        if (HostPort.Refuse(text) is { } reason) Invalid(path, text, reason);
    }

    private void CheckPeriods()
    {
        var (sync, minSync) = (_effective.SyncPeriod, _effective.MinSyncPeriod);
        if (sync <= GoDuration.Zero) Invalid("SyncPeriod", sync, "must be greater than 0");
        CheckNotNegative("MinSyncPeriod", minSync);
        if (minSync > sync) Invalid("SyncPeriod", minSync, $"must be greater than or equal to {Root}.MinSyncPeriod");
        if (_source.ConfigSyncPeriod <= GoDuration.Zero) Invalid("ConfigSyncPeriod", _source.ConfigSyncPeriod, "must be greater than 0");
    }

    private void CheckDetectLocal()
    {
        var detectLocal = _source.DetectLocal;
        switch (_source.DetectLocalMode)
        {
            case DetectLocalMode.BridgeInterface when InterfaceName.Problem(detectLocal.BridgeInterface) is { } problem:
                Invalid("DetectLocalConfiguration.InterfaceName", detectLocal.BridgeInterface, $"detect-local bridge interface {problem}");
                break;
            case DetectLocalMode.InterfaceNamePrefix when InterfaceName.Problem(detectLocal.InterfaceNamePrefix) is { } problem:
                Invalid("DetectLocalConfiguration.InterfacePrefix", detectLocal.InterfaceNamePrefix, $"detect-local interface prefix {problem}");
                break;
            case DetectLocalMode.ClusterCidr:
                CheckClusterCidrs(_effective.ClusterCidrs);
                break;
            case DetectLocalMode.NodeCidr or DetectLocalMode.BridgeInterface or DetectLocalMode.InterfaceNamePrefix:
                break;
            default:
                Problem("DetectLocalMode", $"Unsupported value: \"{_source.DetectLocalMode}\": supported values: \"ClusterCIDR\", \"NodeCIDR\", \"BridgeInterface\", \"InterfaceNamePrefix\"");
                break;
        }
    }

    private void CheckClusterCidrs(IReadOnlyList<string> cidrs)
    {
        const string Path = "DetectLocalConfiguration.ClusterCIDRs";
        if (cidrs.Count > 2) Invalid(Path, string.Join(',', cidrs), "may hold at most two blocks, one of each family");
        List<Cidr> valid = [];
        for (var i = 0; i < cidrs.Count; i++)
        {
            if (Cidr.TryParse(cidrs[i], out var cidr)) valid.Add(cidr);
            else Invalid($"{Path}[{i}]", cidrs[i], "must be a valid CIDR value");
        }

        if (cidrs.Count == 2 && valid.Count == 2 && valid[0].Family == valid[1].Family)
            Invalid(Path, string.Join(',', cidrs), "must be one block of each family");
    }

    private void CheckNodePortAddresses()
    {
        var addresses = _source.NodePortAddresses;
        for (var i = 0; i < addresses.Count; i++)
            if (!NodePortAddresses.IsEntry(addresses[i]))
                Invalid($"NodePortAddresses[{i}]", addresses[i], "must be a valid CIDR, 'primary', 'localhost' or 'all'");
    }

    private void CheckRange(string path, int? value, int least, int most)
    {
        if (value is not { } number || (number >= least && number <= most)) return;
        Invalid(path, number, most == int.MaxValue ? "must be greater than or equal to 0" : $"must be within the range of [{least}, {most}]");
    }

    private void CheckNotNegative(string path, GoDuration duration)
    {
        if (duration < GoDuration.Zero) Invalid(path, duration, "must be greater than or equal to 0");
    }

    private void Invalid(string path, object value, string reason) => Problem(
        path, string.Create(CultureInfo.InvariantCulture, $"Invalid value: {(value is string or GoDuration ? $"\"{value}\"" : value)}: {reason}"));

    private void Problem(string path, string reason) => _problems.Add(new ConfigurationProblem($"{Root}.{path}", reason));
}
