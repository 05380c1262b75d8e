using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The number of the service port that a frontend belongs to, with its name for whoever lists the map.</summary>
internal readonly record struct AffinityFrontend(uint Number, string? Comment);

/// <summary>Maps from frontends to service ports: <c>affinity-ips</c> and its kin.</summary>
internal sealed class AffinityFrontendCodec(IpFamily family, bool nodePorts) : IElementCodec<FrontendKey, AffinityFrontend>
{
    public NftElement Encode(FrontendKey key, AffinityFrontend value) =>
        new() { Key = FrontendBytes.Encode(key), Data = AffinityBytes.Encode(family, value.Number), Comment = value.Comment };

    public bool TryDecode(in NftElement element, out FrontendKey key, out AffinityFrontend value)
    {
        var isNumber = AffinityBytes.TryDecode(element.Data, family, out var number);
        value = new AffinityFrontend(number, element.Comment);
        return FrontendBytes.TryDecode(element.Key, nodePorts ? null : family, out key) && isNumber;
    }
}

/// <summary>Maps from numbers to endpoints: <c>affinity-endpoints</c> and <c>local-affinity-endpoints</c>.</summary>
internal sealed class AffinityEndpointCodec(IpFamily family) : IElementCodec<uint, IpEndpoint>
{
    public NftElement Encode(uint key, IpEndpoint value)
    {
        var data = new ElementBytesWriter(stackalloc byte[20]);
        data.Address(value.Address);
        data.Port(value.Port);
        return new NftElement { Key = AffinityBytes.Encode(family, key), Data = data.ToData() };
    }

    public bool TryDecode(in NftElement element, out uint key, out IpEndpoint value)
    {
        value = default;
        if (!AffinityBytes.TryDecode(element.Key, family, out key)) return false;
        var dataBytes = element.Data;
        var data = new ElementBytesReader(dataBytes.Span);
        if (!data.TryAddress(family, out var address) || !data.TryPort(out var port) || !data.AtEnd) return false;
        value = new IpEndpoint(address, port);
        return true;
    }
}

/// <summary>
/// Maps from slots of service ports to numbers of endpoints: <c>affinity-slots</c> and its kin. A service port is a frontend whose address is
/// its number, and so is an endpoint: see <see cref="AffinityBytes.KeyOf"/>.
/// </summary>
internal sealed class AffinitySlotCodec(IpFamily family) : IElementCodec<EndpointSlot, IpEndpoint>
{
    public NftElement Encode(EndpointSlot key, IpEndpoint value)
    {
        var writer = new ElementBytesWriter(stackalloc byte[20]);
        writer.Address(key.Frontend.Address!.Value);
        writer.Index(key.Index);
        var data = new ElementBytesWriter(stackalloc byte[16]);
        data.Address(value.Address);
        return new NftElement { Key = writer.ToData(), Data = data.ToData() };
    }

    public bool TryDecode(in NftElement element, out EndpointSlot key, out IpEndpoint value)
    {
        (key, value) = (default, default);
        var keyBytes = element.Key;
        var reader = new ElementBytesReader(keyBytes.Span);
        if (!reader.TryNumber(family, out var servicePort) || !reader.TryIndex(out var index) || !reader.AtEnd) return false;
        if (!AffinityBytes.TryDecode(element.Data, family, out var endpoint)) return false;
        (key, value) = (new EndpointSlot(AffinityBytes.KeyOf(family, servicePort), index), AffinityBytes.EndpointOf(family, endpoint));
        return true;
    }
}

/// <summary>Sets of service ports that say whose they are: <c>affinity-services-1</c>, <c>affinity-timeout-10800</c> and their kin.</summary>
internal sealed class LabelledServicePortCodec(IpFamily family) : IElementCodec<FrontendKey, FrontendLabel>
{
    public NftElement Encode(FrontendKey key, FrontendLabel value)
    {
        var writer = new ElementBytesWriter(stackalloc byte[16]);
        writer.Address(key.Address!.Value);
        return new NftElement { Key = writer.ToData(), Comment = value.Comment };
    }

    public bool TryDecode(in NftElement element, out FrontendKey key, out FrontendLabel value)
    {
        value = new FrontendLabel(element.Comment);
        var isNumber = AffinityBytes.TryDecode(element.Key, family, out var number);
        key = AffinityBytes.KeyOf(family, number);
        return isNumber;
    }
}

/// <summary>A number in keys and data.</summary>
internal static class AffinityBytes
{
    /// <summary>What lists of the service port are kept under.</summary>
    public static FrontendKey KeyOf(IpFamily family, uint servicePort) => new(AffinityNumber.ToAddress(family, servicePort), default, 0);

    /// <summary>The endpoint in such lists.</summary>
    public static IpEndpoint EndpointOf(IpFamily family, uint endpoint) => new(AffinityNumber.ToAddress(family, endpoint), 0);

    public static NftData Encode(IpFamily family, uint number)
    {
        var writer = new ElementBytesWriter(stackalloc byte[16]);
        writer.Number(family, number);
        return writer.ToData();
    }

    public static bool TryDecode(NftData data, IpFamily family, out uint number)
    {
        var reader = new ElementBytesReader(data.Span);
        return reader.TryNumber(family, out number) && reader.AtEnd;
    }
}
