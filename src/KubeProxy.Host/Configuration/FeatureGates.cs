using System.Collections.Frozen;

namespace KubeProxy.Host.Configuration;

/// <summary>
/// The feature gates of kube-proxy 1.37, and those that it had before. Those that can still be changed have defaults here; locked ones
/// are always on. A gate of any other name is one of another component, or of another release: those who install clusters give one list
/// to all components. It has no effect, and is named in a warning.
/// </summary>
public static class FeatureGates
{
    private const string Alpha = "ALPHA";
    private const string Beta = "BETA";
    private const string Deprecated = "DEPRECATED";

    private static readonly FrozenDictionary<string, Gate> Known = new Dictionary<string, Gate>
    {
        ["AllAlpha"] = new(false, Alpha), ["AllBeta"] = new(false, Beta),
        ["AllowServiceExternalIPs"] = new(true),
        ["PreferSameTrafficDistribution"] = new(true, IsLocked: true),
        ["MultiCIDRServiceAllocator"] = new(true, IsLocked: true),
        ["NFTablesProxyMode"] = new(true, IsLocked: true),
        ["ComponentFlagz"] = new(true, Beta), ["ComponentStatusz"] = new(true, Beta),
        ["NFTablesNetlink"] = new(true, Beta), [NftablesLocalhostNodePorts] = new(false, Alpha), [KubeProxyIpvs] = new(true, Deprecated),
        ["NativeHistograms"] = new(false, Beta), ["ContextualLogging"] = new(true, Beta),
        ["LoggingAlphaOptions"] = new(false, Alpha), ["LoggingBetaOptions"] = new(true, Beta),
        ["CBORServingAndStorage"] = new(false, Alpha), ["WatchListClient"] = new(true, Beta), ["InformerResourceVersion"] = new(true),
        ["AtomicFIFO"] = new(true, Beta), ["UnlockWhileProcessingFIFO"] = new(true, Beta), ["InOrderInformersBatchProcess"] = new(true, Beta),
        ["ClientsAllowTLSCacheGC"] = new(true, Beta), ["ClientsAllowCARotation"] = new(true, Beta),
        ["InOrderInformers"] = new(true, IsLocked: true),
        ["ClientsAllowCBOR"] = new(false, Alpha), ["ClientsPreferCBOR"] = new(false, Alpha),
        ["WinDSR"] = new(true, IsLocked: true), ["WinOverlay"] = new(true, IsLocked: true),
    }.ToFrozenDictionary();

    /// <summary>Without it there is no mode ipvs.</summary>
    internal const string KubeProxyIpvs = "KubeProxyIPVS";

    /// <summary>Node ports on loopback addresses in mode nftables: TCP is relayed, the others are rejected.</summary>
    internal const string NftablesLocalhostNodePorts = "KubeProxyNFTablesLocalhostNodePorts";

    /// <summary>All gates, sorted, with their stages: ALPHA, BETA, or empty for those that are generally available.</summary>
    internal static IEnumerable<(string Name, string Stage)> All =>
        Known.OrderBy(gate => gate.Key, StringComparer.Ordinal).Select(gate => (gate.Key, gate.Value.Stage));

    /// <summary>Whether a gate is on.</summary>
    public static bool IsEnabled(KubeProxyConfiguration configuration, string gate)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration.FeatureGates.TryGetValue(gate, out var chosen)) return chosen;
        if (!Known.TryGetValue(gate, out var known)) return false;
        var group = known.Stage switch
        {
            Alpha => "AllAlpha",
            Beta => "AllBeta",
            _ => "",
        };
        return configuration.FeatureGates.TryGetValue(group, out var all) ? all : known.IsOn;
    }

    /// <summary>Why a gate cannot be set so; null when it can.</summary>
    internal static string? Refuse(string gate, bool value) => !Known.TryGetValue(gate, out var known)
        ? IsName(gate) ? null : "no name of a feature gate: only letters and digits make one"
        : known.IsLocked && value != known.IsOn ? $"cannot set feature gate {gate} to {(value ? "true" : "false")}, feature is locked" : null;

    /// <summary>What to say about gates that have no effect here.</summary>
    internal static IEnumerable<ConfigurationProblem> Warnings(KubeProxyConfiguration configuration)
    {
        var others = configuration.FeatureGates.Keys.Where(gate => !Known.ContainsKey(gate) && IsName(gate)).Order(StringComparer.Ordinal).ToList();
        if (others.Count > 0) yield return new ConfigurationProblem("featureGates", $"not of this component, without effect: {string.Join(", ", others)}");
    }

    private static bool IsName(string gate) => gate.Length > 0 && char.IsAsciiLetter(gate[0]) && gate.All(char.IsAsciiLetterOrDigit);

    private readonly record struct Gate(bool IsOn, string Stage = "", bool IsLocked = false);
}
