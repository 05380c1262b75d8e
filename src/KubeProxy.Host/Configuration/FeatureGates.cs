using System.Collections.Frozen;

namespace KubeProxy.Host.Configuration;

/// <summary>The feature gates of kube-proxy 1.36. Those that can still be changed have defaults here; locked ones are always on.</summary>
public static class FeatureGates
{
    private static readonly FrozenDictionary<string, Gate> Known = new Dictionary<string, Gate>
    {
        ["AllAlpha"] = new(false), ["AllBeta"] = new(false),
        ["AllowServiceExternalIPs"] = new(true),
        ["PreferSameTrafficDistribution"] = new(true, IsLocked: true),
        ["MultiCIDRServiceAllocator"] = new(true, IsLocked: true),
        ["NFTablesProxyMode"] = new(true, IsLocked: true),
        ["ComponentFlagz"] = new(true), ["ComponentStatusz"] = new(true),
        ["NativeHistograms"] = new(false), ["ContextualLogging"] = new(true),
        ["LoggingAlphaOptions"] = new(false), ["LoggingBetaOptions"] = new(true),
        ["CBORServingAndStorage"] = new(false), ["WatchListClient"] = new(true), ["InformerResourceVersion"] = new(true),
        ["AtomicFIFO"] = new(true), ["UnlockWhileProcessingFIFO"] = new(true), ["InOrderInformersBatchProcess"] = new(true),
        ["ClientsAllowTLSCacheGC"] = new(true), ["ClientsAllowCARotation"] = new(true),
        ["InOrderInformers"] = new(true, IsLocked: true),
        ["ClientsAllowCBOR"] = new(false), ["ClientsPreferCBOR"] = new(false),
        ["WinDSR"] = new(true, IsLocked: true), ["WinOverlay"] = new(true, IsLocked: true),
    }.ToFrozenDictionary();

    /// <summary>Whether a gate is on.</summary>
    public static bool IsEnabled(KubeProxyConfiguration configuration, string gate)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.FeatureGates.TryGetValue(gate, out var chosen) ? chosen : Known.TryGetValue(gate, out var known) && known.IsOn;
    }

    /// <summary>Why a gate cannot be set so; null when it can.</summary>
    internal static string? Refuse(string gate, bool value) => !Known.TryGetValue(gate, out var known)
        ? $"unrecognized feature gate: {gate}"
        : known.IsLocked && value != known.IsOn ? $"cannot set feature gate {gate} to {(value ? "true" : "false")}, feature is locked" : null;

    private readonly record struct Gate(bool IsOn, bool IsLocked = false);
}
