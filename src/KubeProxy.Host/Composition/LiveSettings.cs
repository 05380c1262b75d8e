using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Http;
using KubeProxy.Host.Logging;
using KubeProxy.Host.Node;

namespace KubeProxy.Host.Composition;

/// <summary>Brings what can change while the proxy runs into force.</summary>
internal sealed class LiveSettings(
    ProxyEngine engine, ServiceHealthServer serviceHealth, VerbositySwitch verbosity, ConntrackSettings conntrack, OomScore oomScore, ProxyParts parts)
{
    /// <summary>Applies a configuration that differs from the one in force in live fields only.</summary>
    public void Apply(EffectiveConfiguration configuration)
    {
        verbosity.Current = LoggingSetup.VerbosityOf(configuration.Source.Logging);
        engine.Reconfigure(new NodeSettings(configuration).ToOptions());
        serviceHealth.Recheck();
        conntrack.Apply(configuration.Source.Conntrack, CpuCount.Online(parts.Root));
        oomScore.Apply(configuration.Source.OomScoreAdj ?? 0);
    }
}
