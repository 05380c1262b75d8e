using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The key of <c>affinity-clients</c>: the client and the service port. nft 1.0.6 loads rules that add to a map only if the key has at most 16
/// bytes, so that of IPv6 is a hash of both, of 64 bits.
/// </summary>
internal static class AffinityClient
{
    private const uint FirstSeed = 1;
    private const uint SecondSeed = 2;

    /// <summary>The same set with the right key.</summary>
    public static NftSet KeyOf(IpFamily family, NftSet set, RuleParts parts) => family == IpFamily.IPv4 ? set : set with
    {
        KeyType = [NftDataType.Integer, NftDataType.Integer],
        // nft does not print a typeof with a hash in it. Any other number of 4 bytes does.
        KeyTypeof = [new NftNumgen(1), new NftNumgen(1)],
        DataTypeof = [parts.Daddr],
    };

    /// <summary>The key in rules: the client is who opened the connection, and the number of the service port stands in the source address.</summary>
    public static NftConcat Expression(RuleParts parts)
    {
        var both = new NftConcat(NftCt.Original(parts.SaddrField), parts.Saddr);
        return parts.Family == IpFamily.IPv4 ? both : new NftConcat(new NftJhash(both, uint.MaxValue, FirstSeed), new NftJhash(both, uint.MaxValue, SecondSeed));
    }

    /// <summary>The key of a client.</summary>
    /// <param name="client">Its address.</param>
    /// <param name="servicePort">The number of the service port.</param>
    public static NftData Encode(IpAddr client, uint servicePort)
    {
        var writer = new ElementBytesWriter(stackalloc byte[32]);
        writer.Address(client);
        writer.Number(client.Family, servicePort);
        var both = writer.ToData();
        if (client.Family == IpFamily.IPv4) return both;
        var hashes = new ElementBytesWriter(stackalloc byte[8]);
        hashes.Index(NftJenkins.Hash(both.Span, uint.MaxValue, FirstSeed));
        hashes.Index(NftJenkins.Hash(both.Span, uint.MaxValue, SecondSeed));
        return hashes.ToData();
    }
}
