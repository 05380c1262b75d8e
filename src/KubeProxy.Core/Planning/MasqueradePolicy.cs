using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>How traffic of this cluster's pods is recognised (<c>detectLocalMode</c>).</summary>
public abstract record LocalTrafficDetector
{
    private LocalTrafficDetector() { }

    /// <summary>By source address: modes ClusterCIDR and NodeCIDR.</summary>
    public sealed record Source(Cidr Cidr) : LocalTrafficDetector;

    /// <summary>By the bridge the pods hang on: mode BridgeInterface.</summary>
    public sealed record Bridge : LocalTrafficDetector
    {
        /// <param name="interface">The name of the bridge, 1 to 15 bytes.</param>
        /// <exception cref="ArgumentException">No interface can have that name.</exception>
        public Bridge(string @interface) => Interface = Checked(@interface, nameof(@interface));

        /// <summary>The name of the bridge.</summary>
        public string Interface { get; }
    }

    /// <summary>By how the names of the pods' interfaces begin: mode InterfaceNamePrefix.</summary>
    public sealed record InterfacePrefix : LocalTrafficDetector
    {
        /// <param name="prefix">The beginning, 1 to 15 bytes.</param>
        /// <exception cref="ArgumentException">No name of an interface can begin so.</exception>
        public InterfacePrefix(string prefix) => Prefix = Checked(prefix, nameof(prefix));

        /// <summary>The beginning.</summary>
        public string Prefix { get; }
    }

    private static string Checked(string name, string parameter) =>
        InterfaceName.Problem(name) is { } problem ? throw new ArgumentException($"'{name}' {problem}.", parameter) : name;
}

/// <summary>Which connections get the node's address as their source.</summary>
public sealed record MasqueradePolicy
{
    /// <summary>The bit (0 to 31) of the packet mark that asks for masquerading: <c>masqueradeBit</c>, by default 14.</summary>
    public int MarkBit { get; init; } = 14;

    /// <summary>The mark itself.</summary>
    public uint Mark => 1u << MarkBit;

    /// <summary>Masquerade all traffic to cluster IPs (<c>masqueradeAll</c>).</summary>
    public bool All { get; init; }

    /// <summary>
    /// Recognises pods; traffic to cluster IPs from elsewhere is masqueraded. Null when not configured for the family: then
    /// only <see cref="All"/> masquerades traffic to cluster IPs.
    /// </summary>
    public LocalTrafficDetector? LocalDetector { get; init; }
}
