namespace KubeProxy.Host.Configuration;

/// <summary>The Kubernetes release whose kube-proxy this program stands in for.</summary>
public static class KubernetesVersion
{
    /// <summary>The full version.</summary>
    public const string Full = "v1.36.2";

    /// <summary>Major version.</summary>
    public const string Major = "1";

    /// <summary>Minor version.</summary>
    public const string Minor = "36";

    /// <summary>The minor version before, whose deprecated metrics may still be asked for.</summary>
    public const string PreviousMinor = "1.35";
}
