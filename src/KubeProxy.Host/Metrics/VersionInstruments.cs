using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.InteropServices;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Metrics;

/// <summary>Which version runs, with which feature gates.</summary>
internal sealed class VersionInstruments : IDisposable
{
    private readonly Meter _meter = new("KubeProxy.Version");

    /// <param name="configuration">What gates are set in.</param>
    public VersionInstruments(KubeProxyConfiguration configuration)
    {
        _meter.CreateObservableGauge("kubernetes_build_info", BuildInfo, null,
            "[BETA] Constant 1, labeled by the version of Kubernetes that this proxy stands in for, and by what it was built with.");
        _meter.CreateObservableGauge("kubernetes_feature_enabled", () => Features(configuration), null,
            "[BETA] 1 for a feature gate that is on, 0 for one that is off, by name and stage.");
    }

    public void Dispose() => _meter.Dispose();

    private static Measurement<int> BuildInfo()
    {
        var own = typeof(VersionInstruments).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        var commit = own.IndexOf('+', StringComparison.Ordinal) is >= 0 and var plus ? own[(plus + 1)..] : "";
        return new Measurement<int>(
            1,
            new("major", KubernetesVersion.Major), new("minor", KubernetesVersion.Minor), new("git_version", KubernetesVersion.Full),
            new("git_commit", commit), new("git_tree_state", ""), new("build_date", ""),
            new("go_version", ""), new("compiler", RuntimeInformation.FrameworkDescription),
            new("platform", KubernetesVersion.Platform));
    }

    private static IEnumerable<Measurement<int>> Features(KubeProxyConfiguration configuration) => FeatureGates.All.Select(gate =>
        new Measurement<int>(FeatureGates.IsEnabled(configuration, gate.Name) ? 1 : 0, new("name", gate.Name), new("stage", gate.Stage)));
}
