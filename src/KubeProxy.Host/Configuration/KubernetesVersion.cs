using System.Reflection;
using System.Runtime.InteropServices;

namespace KubeProxy.Host.Configuration;

/// <summary>
/// The Kubernetes release whose kube-proxy this program stands in for: what it says it is, which feature gates it has, and with
/// which defaults.
/// </summary>
public static class KubernetesVersion
{
    /// <summary>The full version.</summary>
    public const string Full = "v1.37.0";

    /// <summary>Major version.</summary>
    public const string Major = "1";

    /// <summary>Minor version.</summary>
    public const string Minor = "37";

    /// <summary>The minor version before, whose deprecated metrics may still be asked for.</summary>
    public const string PreviousMinor = "1.36";

    /// <summary>What the release before takes for that: files that were right for it still are.</summary>
    public const string PreviousMinorBefore = "1.35";

    /// <summary>What the release after takes for that.</summary>
    public const string ThisMinor = Major + "." + Minor;

    /// <summary>How this program introduces itself to the API server, whose audit log has it: as upstream does, and which one it is.</summary>
    public static string UserAgent
    {
        get
        {
            var own = typeof(KubernetesVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
            return $"kube-proxy/{Full} ({Platform}) kubeproxy-dotnet/{own.Split('+')[0]}";
        }
    }

    /// <summary>Operating system and architecture by the names that Kubernetes has for them, such as <c>linux/amd64</c>.</summary>
    public static string Platform => "linux/" + RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };
}
