using System.Security.Cryptography;
using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The names of the sets of clients that earlier versions and upstream have for each endpoint of services with session affinity: a hash, so that
/// cut names stay unique, and what it is made of, so that a person can read it.
/// </summary>
internal static class ObjectNames
{
    // Names of nf_tables objects have at most 255 bytes; the longest prefix is 16 of them.
    private const int LongestBase = 240;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>What the names begin with.</summary>
    public const string ClientSetPrefix = "affinity-";

    /// <summary>The set of the clients of an endpoint.</summary>
    public static string ClientSet(ServicePortName name, IpEndpoint endpoint) =>
        ClientSetPrefix + HashAndCut($"{Text(name)}__{endpoint.Address.ToString().Replace(':', '.')}/{endpoint.Port}");

    private static string Text(ServicePortName name) =>
        $"{name.Service.Namespace}/{name.Service.Name}/{name.Protocol.ToLowerName()}/{name.PortName}";

    private static string HashAndCut(string text)
    {
        var full = $"{Hash(text)}-{text}";
        return full.Length <= LongestBase ? full : full[..(LongestBase - 3)] + "...";
    }

    // The first 8 base32 digits: the first 5 bytes of the hash.
    private static string Hash(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        var bits = hash[..5].ToArray().Aggregate(0UL, (value, octet) => (value << 8) | octet);
        return string.Create(8, bits, static (digits, value) =>
        {
            for (var i = 0; i < digits.Length; i++) digits[i] = Base32[(int)(value >> (35 - (5 * i))) & 31];
        });
    }
}
