using System.Reflection;
using System.Runtime.InteropServices;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Composition;

/// <summary>What <c>--version</c> prints.</summary>
internal static class VersionText
{
    /// <summary>The text for <c>--version</c> (<c>true</c>) or <c>--version=raw</c>.</summary>
    public static string Format(string kind)
    {
        var own = typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return kind == "raw"
            ? $"kubernetes={KubernetesVersion.Full} kubeproxy-dotnet={own} runtime={RuntimeInformation.FrameworkDescription} platform={RuntimeInformation.RuntimeIdentifier}"
            : $"Kubernetes {KubernetesVersion.Full}";
    }
}
