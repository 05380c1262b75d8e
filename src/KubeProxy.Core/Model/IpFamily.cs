namespace KubeProxy.Core.Model;

/// <summary>An IP address family. The names are those of the Kubernetes API (<c>spec.ipFamilies</c>).</summary>
public enum IpFamily : byte
{
    /// <summary>IPv4.</summary>
    IPv4 = 4,

    /// <summary>IPv6.</summary>
    IPv6 = 6,
}
