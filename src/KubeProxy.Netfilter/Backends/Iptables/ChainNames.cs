using System.Security.Cryptography;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The names of chains, as upstream has them.</summary>
internal static class ChainNames
{
    public const string Services = "KUBE-SERVICES";
    public const string ExternalServices = "KUBE-EXTERNAL-SERVICES";
    public const string NodePorts = "KUBE-NODEPORTS";
    public const string Postrouting = "KUBE-POSTROUTING";
    public const string MarkMasquerade = "KUBE-MARK-MASQ";
    public const string Forward = "KUBE-FORWARD";
    public const string ProxyFirewall = "KUBE-PROXY-FIREWALL";
    public const string Firewall = "KUBE-FIREWALL";
    public const string Canary = "KUBE-PROXY-CANARY";

    private const string Cluster = "KUBE-SVC-";
    private const string Local = "KUBE-SVL-";
    private const string External = "KUBE-EXT-";
    private const string LoadBalancer = "KUBE-FW-";
    private const string Endpoint = "KUBE-SEP-";
    private static readonly string[] Prefixes = [Cluster, Local, External, LoadBalancer, Endpoint];

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648
    private const int HashLength = 16;

    /// <summary>The hash in the names of a service port's chains.</summary>
    public static string Hash(ServicePortName name) => Hash($"{name}{name.Protocol.ToLowerName()}");

    /// <summary>The chain that balances over all endpoints.</summary>
    public static string OfCluster(string hash) => Cluster + hash;

    /// <summary>The chain that balances over the endpoints on this node.</summary>
    public static string OfLocal(string hash) => Local + hash;

    /// <summary>The chain of external traffic.</summary>
    public static string OfExternal(string hash) => External + hash;

    /// <summary>The chain of source ranges.</summary>
    public static string OfLoadBalancer(string hash) => LoadBalancer + hash;

    /// <summary>The chain of an endpoint, which is given as text.</summary>
    public static string OfEndpoint(ServicePortName name, string endpoint) => Endpoint + Hash($"{name}{name.Protocol.ToLowerName()}{endpoint}");

    /// <summary>Whether it is a chain of a service port, in use or left over.</summary>
    public static bool IsOfServicePort(IptablesChain chain) => chain.Table == IptablesTable.Nat
        && Array.Exists(Prefixes, prefix => chain.Name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Whether the chain's rules for endpoints may come with comments or without.</summary>
    public static bool HasOptionalComments(IptablesChain chain) => chain.Table == IptablesTable.Nat
        && (chain.Name.StartsWith(Cluster, StringComparison.Ordinal) || chain.Name.StartsWith(Local, StringComparison.Ordinal)
            || chain.Name.StartsWith(Endpoint, StringComparison.Ordinal));

    // The first characters of base32 of SHA-256, five bits each.
    private static string Hash(string text)
    {
        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(text, utf8)], digest);
        Span<char> hash = stackalloc char[HashLength];
        for (var i = 0; i < HashLength; i++)
        {
            var (at, bit) = (i * 5 / 8, i * 5 % 8);
            var window = (digest[at] << 8) | digest[at + 1];
            hash[i] = Alphabet[(window >> (11 - bit)) & 31];
        }

        return new string(hash);
    }
}
