using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeProxy.Host.Configuration;

/// <summary>What a change of a field asks for.</summary>
internal enum ChangeEffect
{
    /// <summary>Nothing: the field has no meaning in this mode or on Linux.</summary>
    None,

    /// <summary>It is applied while the proxy runs.</summary>
    Live,

    /// <summary>The process has to start again.</summary>
    Restart,
}

/// <summary>Which fields two configurations differ in, and what that means.</summary>
internal static class ConfigurationDifference
{
    private static readonly string[] WithoutMeaning = ["winkernel", "portRange", "windowsRunAsService", "configSyncPeriod", "logging.flushFrequency"];

    private static readonly string[] AppliedLive = ["logging.verbosity", "logging.vmodule", "enableProfiling", "nodePortAddresses", "conntrack", "oomScoreAdj"];

    /// <summary>The fields that differ, such as <c>nftables.minSyncPeriod</c>, in the order of the file.</summary>
    public static IReadOnlyList<string> Of(KubeProxyConfiguration before, KubeProxyConfiguration after)
    {
        var paths = new List<string>();
        Compare(ToJson(before), ToJson(after), "", paths);
        return paths;
    }

    /// <summary>What it takes to bring a change of a field into force.</summary>
    /// <param name="path">The field.</param>
    /// <param name="mode">The mode in force.</param>
    public static ChangeEffect EffectOf(string path, string mode)
    {
        if (WithoutMeaning.Any(field => IsIn(path, field))) return ChangeEffect.None;
        if (AppliedLive.Any(field => IsIn(path, field))) return ChangeEffect.Live;
        var section = path.Split('.')[0];
        if (section is not ("iptables" or "nftables" or "ipvs")) return ChangeEffect.Restart;
        var isPeriod = path.EndsWith(".syncPeriod", StringComparison.Ordinal) || path.EndsWith(".minSyncPeriod", StringComparison.Ordinal);
        // The periods of a mode are in its own section; masquerading is in that of nftables, or for all others in that of iptables.
        var periods = mode is ProxyMode.Nftables or ProxyMode.Ipvs ? mode : ProxyMode.Iptables;
        if (isPeriod) return section == periods ? ChangeEffect.Live : ChangeEffect.None;
        var masquerade = mode == ProxyMode.Nftables ? ProxyMode.Nftables : ProxyMode.Iptables;
        return section == mode || section == masquerade ? ChangeEffect.Restart : ChangeEffect.None;
    }

    private static bool IsIn(string path, string field) => path == field || path.StartsWith(field + ".", StringComparison.Ordinal);

    private static JsonNode? ToJson(KubeProxyConfiguration configuration) =>
        JsonSerializer.SerializeToNode(configuration, ConfigurationJsonContext.Default.KubeProxyConfiguration);

    private static void Compare(JsonNode? before, JsonNode? after, string path, List<string> paths)
    {
        // The values of a map (featureGates) are one field.
        if (path != "featureGates" && before is JsonObject left && after is JsonObject right)
        {
            foreach (var (name, value) in left) Compare(value, right[name], path.Length == 0 ? name : $"{path}.{name}", paths);
        }
        else if (!JsonNode.DeepEquals(before, after))
        {
            paths.Add(path);
        }
    }
}
