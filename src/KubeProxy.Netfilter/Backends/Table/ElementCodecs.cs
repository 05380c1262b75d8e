using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The value of an element that has none, in a set.</summary>
internal readonly record struct NoValue;

/// <summary>The name of the service port, for whoever lists the set.</summary>
internal readonly record struct FrontendLabel(string? Comment);

/// <summary>Where a frontend's connections go, with the name of the service port for whoever lists the map.</summary>
internal readonly record struct FrontendVerdict(NftVerdict Verdict, string? Comment);

/// <summary>One slot of the list of endpoints of a frontend. Slots are numbered from 0 without a gap.</summary>
internal readonly record struct EndpointSlot(FrontendKey Frontend, uint Index);

/// <summary>A range of sources that may use a frontend.</summary>
internal readonly record struct AllowedSource(FrontendKey Frontend, IpRange Range);

/// <summary>Translates between typed entries and the elements of one kind of set.</summary>
internal interface IElementCodec<TKey, TValue>
{
    NftElement Encode(TKey key, TValue value);

    /// <summary>False when the element is not one of ours.</summary>
    bool TryDecode(in NftElement element, out TKey key, out TValue value);
}

/// <summary>Sets of addresses: <c>cluster-ips</c>, <c>nodeport-ips</c>.</summary>
internal sealed class AddressCodec(IpFamily family) : IElementCodec<IpAddr, NoValue>
{
    public NftElement Encode(IpAddr key, NoValue value)
    {
        var writer = new ElementBytesWriter(stackalloc byte[16]);
        writer.Address(key);
        return new NftElement { Key = writer.ToData() };
    }

    public bool TryDecode(in NftElement element, out IpAddr key, out NoValue value)
    {
        value = default;
        var keyBytes = element.Key;
        var reader = new ElementBytesReader(keyBytes.Span);
        return reader.TryAddress(family, out key) && reader.AtEnd;
    }
}

/// <summary>Source and destination address that are the same: <c>hairpin-ips</c>.</summary>
internal sealed class HairpinCodec(IpFamily family) : IElementCodec<IpAddr, NoValue>
{
    public NftElement Encode(IpAddr key, NoValue value)
    {
        var writer = new ElementBytesWriter(stackalloc byte[32]);
        writer.Address(key);
        writer.Address(key);
        return new NftElement { Key = writer.ToData() };
    }

    public bool TryDecode(in NftElement element, out IpAddr key, out NoValue value)
    {
        value = default;
        var keyBytes = element.Key;
        var reader = new ElementBytesReader(keyBytes.Span);
        return reader.TryAddress(family, out key) && reader.TryAddress(family, out var second) && second == key && reader.AtEnd;
    }
}

/// <summary>Maps from frontends to verdicts. Maps of node ports have no address in the key.</summary>
internal sealed class FrontendVerdictCodec(IpFamily? family) : IElementCodec<FrontendKey, FrontendVerdict>
{
    public NftElement Encode(FrontendKey key, FrontendVerdict value) =>
        new() { Key = FrontendBytes.Encode(key), Verdict = value.Verdict, Comment = value.Comment };

    public bool TryDecode(in NftElement element, out FrontendKey key, out FrontendVerdict value)
    {
        value = new FrontendVerdict(element.Verdict!, element.Comment);
        return FrontendBytes.TryDecode(element.Key, family, out key) && element.Verdict is not null;
    }
}

/// <summary>Sets of frontends that say whose they are: <c>service-ips-1</c> and its kin.</summary>
internal sealed class LabelledFrontendCodec(IpFamily? family) : IElementCodec<FrontendKey, FrontendLabel>
{
    public NftElement Encode(FrontendKey key, FrontendLabel value) => new() { Key = FrontendBytes.Encode(key), Comment = value.Comment };

    public bool TryDecode(in NftElement element, out FrontendKey key, out FrontendLabel value)
    {
        value = new FrontendLabel(element.Comment);
        return FrontendBytes.TryDecode(element.Key, family, out key);
    }
}

/// <summary>Sets of frontends: <c>firewall-services</c>, <c>masquerade-ips</c>.</summary>
internal sealed class FrontendCodec(IpFamily? family) : IElementCodec<FrontendKey, NoValue>
{
    public NftElement Encode(FrontendKey key, NoValue value) => new() { Key = FrontendBytes.Encode(key) };

    public bool TryDecode(in NftElement element, out FrontendKey key, out NoValue value)
    {
        value = default;
        return FrontendBytes.TryDecode(element.Key, family, out key);
    }
}

/// <summary>Maps from slots to endpoints: <c>endpoints</c> and its kin.</summary>
internal sealed class EndpointSlotCodec(IpFamily family, bool nodePorts) : IElementCodec<EndpointSlot, IpEndpoint>
{
    public NftElement Encode(EndpointSlot key, IpEndpoint value)
    {
        var writer = new ElementBytesWriter(stackalloc byte[32]);
        FrontendBytes.Write(ref writer, key.Frontend);
        writer.Index(key.Index);
        var data = new ElementBytesWriter(stackalloc byte[20]);
        data.Address(value.Address);
        data.Port(value.Port);
        return new NftElement { Key = writer.ToData(), Data = data.ToData() };
    }

    public bool TryDecode(in NftElement element, out EndpointSlot key, out IpEndpoint value)
    {
        (key, value) = (default, default);
        var (keyBytes, dataBytes) = (element.Key, element.Data);
        var reader = new ElementBytesReader(keyBytes.Span);
        if (!FrontendBytes.TryRead(ref reader, nodePorts ? null : family, out var frontend) || !reader.TryIndex(out var index) || !reader.AtEnd)
            return false;
        var data = new ElementBytesReader(dataBytes.Span);
        if (!data.TryAddress(family, out var address) || !data.TryPort(out var port) || !data.AtEnd) return false;
        (key, value) = (new EndpointSlot(frontend, index), new IpEndpoint(address, port));
        return true;
    }
}

/// <summary>The interval set of frontends and sources: <c>firewall-sources</c>.</summary>
internal sealed class AllowedSourceCodec(IpFamily family) : IElementCodec<AllowedSource, NoValue>
{
    public NftElement Encode(AllowedSource key, NoValue value) =>
        new() { Key = Encode(key.Frontend, key.Range.First), KeyEnd = Encode(key.Frontend, key.Range.Last) };

    public bool TryDecode(in NftElement element, out AllowedSource key, out NoValue value)
    {
        (key, value) = (default, default);
        if (!TryDecode(element.Key, out var frontend, out var first)) return false;
        if (!TryDecode(element.KeyEnd.IsEmpty ? element.Key : element.KeyEnd, out var frontendEnd, out var last)) return false;
        key = new AllowedSource(frontend, new IpRange(first, last));
        return frontend == frontendEnd;
    }

    private static NftData Encode(FrontendKey frontend, IpAddr source)
    {
        var writer = new ElementBytesWriter(stackalloc byte[40]);
        FrontendBytes.Write(ref writer, frontend);
        writer.Address(source);
        return writer.ToData();
    }

    private bool TryDecode(NftData data, out FrontendKey frontend, out IpAddr source)
    {
        source = default;
        var reader = new ElementBytesReader(data.Span);
        return FrontendBytes.TryRead(ref reader, family, out frontend) && reader.TryAddress(family, out source) && reader.AtEnd;
    }
}

/// <summary>A frontend in keys: <c>daddr . l4proto . th dport</c>, or <c>l4proto . th dport</c> for node ports.</summary>
internal static class FrontendBytes
{
    public static NftData Encode(FrontendKey key)
    {
        var writer = new ElementBytesWriter(stackalloc byte[24]);
        Write(ref writer, key);
        return writer.ToData();
    }

    public static void Write(ref ElementBytesWriter writer, FrontendKey key)
    {
        if (key.Address is { } address) writer.Address(address);
        writer.Protocol(key.Protocol);
        writer.Port(key.Port);
    }

    public static bool TryDecode(NftData data, IpFamily? family, out FrontendKey key)
    {
        var reader = new ElementBytesReader(data.Span);
        return TryRead(ref reader, family, out key) && reader.AtEnd;
    }

    /// <param name="reader">Where to read.</param>
    /// <param name="family">The family of the address; null for a node port.</param>
    /// <param name="key">What was read.</param>
    public static bool TryRead(ref ElementBytesReader reader, IpFamily? family, out FrontendKey key)
    {
        key = default;
        IpAddr? address = null;
        if (family is { } wanted)
        {
            if (!reader.TryAddress(wanted, out var read)) return false;
            address = read;
        }

        if (!reader.TryProtocol(out var protocol) || !reader.TryPort(out var port)) return false;
        key = new FrontendKey(address, protocol, port);
        return true;
    }
}
