using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Reads and writes named objects.</summary>
internal static class NftObjectCodec
{
    private const int MaxTimeouts = 32;

    public static NftObject Read(NlMessage message)
    {
        string? table = null, name = null, comment = null;
        var kind = NftObjectKind.None;
        NlAttribute data = default;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<ObjectAttribute>())
            {
                case ObjectAttribute.Table: table = attribute.Text(); break;
                case ObjectAttribute.Name: name = attribute.Text(); break;
                case ObjectAttribute.Type: kind = (NftObjectKind)attribute.U32BigEndian(); break;
                case ObjectAttribute.Data: data = attribute; break;
                case ObjectAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.ObjectComment); break;
            }
        }

        var key = new NftObjectKey(new NftTableKey((NftFamily)NfGenMessage.Read(message).Family, NftObjectDecoder.Require(table)), kind, NftObjectDecoder.Require(name));
        return new NftObject(key, Content(kind, data.Nested()) ?? new NftOpaqueContent([.. data.Payload])) { Comment = comment };
    }

    public static void Write(NlMsgWriter writer, NftObject item)
    {
        WriteKey(writer, item.Key);
        if (item.Content is NftOpaqueContent opaque)
        {
            writer.PutBytes((ObjectAttribute)((ushort)ObjectAttribute.Data | 0x8000), opaque.Data.AsSpan());
            return;
        }

        using var data = writer.BeginNested(ObjectAttribute.Data);
        switch (item.Content)
        {
            case NftStateContent state: NftStatefulCodec.Write(writer, state.State); break;
            case NftSynproxyContent synproxy: WriteSynproxy(writer, synproxy.Synproxy); break;
            case NftSecmarkContent secmark: writer.PutString(SecmarkAttribute.Context, secmark.Context); break;
            case NftHelperContent helper:
                writer.PutString(CtHelperAttribute.Name, helper.Helper);
                writer.PutU16BigEndian(CtHelperAttribute.L3protocol, (ushort)helper.Family);
                writer.PutU8(CtHelperAttribute.L4protocol, helper.Protocol);
                break;
            case NftTimeoutContent timeout: WriteTimeout(writer, timeout); break;
            case NftExpectationContent expectation:
                if (expectation.Family is { } family) writer.PutU16BigEndian(CtExpectationAttribute.L3protocol, (ushort)family);
                writer.PutU8(CtExpectationAttribute.L4protocol, expectation.Protocol);
                writer.PutU16BigEndian(CtExpectationAttribute.Port, expectation.Port);
                writer.PutU32(CtExpectationAttribute.Timeout, expectation.Timeout);
                writer.PutU8(CtExpectationAttribute.Size, expectation.Size);
                break;
        }
    }

    public static void WriteKey(NlMsgWriter writer, NftObjectKey key)
    {
        writer.PutString(ObjectAttribute.Table, key.Table.Name);
        writer.PutString(ObjectAttribute.Name, key.Name);
        writer.PutU32BigEndian(ObjectAttribute.Type, (uint)key.Kind);
    }

    public static NftSynproxy? Synproxy(NlAttributes attributes)
    {
        var mss = attributes.TryFind(SynproxyAttribute.Mss, out var size) ? size.U16BigEndian() : (ushort)0;
        var scale = attributes.TryFind(SynproxyAttribute.WindowScale, out var window) ? window.U8() : (byte)0;
        return attributes.TryFind(SynproxyAttribute.Flags, out var flags) ? new NftSynproxy(mss, scale, flags.U32BigEndian()) : null;
    }

    public static void WriteSynproxy(NlMsgWriter writer, NftSynproxy synproxy)
    {
        writer.PutU16BigEndian(SynproxyAttribute.Mss, synproxy.Mss);
        writer.PutU8(SynproxyAttribute.WindowScale, synproxy.WindowScale);
        writer.PutU32BigEndian(SynproxyAttribute.Flags, synproxy.Flags);
    }

    private static NftObjectContent? Content(NftObjectKind kind, NlAttributes attributes) => kind switch
    {
        NftObjectKind.Counter => State("counter", attributes),
        NftObjectKind.Quota => State("quota", attributes),
        NftObjectKind.Limit => State("limit", attributes),
        NftObjectKind.ConnectionLimit => State("connlimit", attributes),
        NftObjectKind.Synproxy => Synproxy(attributes) is { } synproxy ? new NftSynproxyContent(synproxy) : null,
        NftObjectKind.Secmark => attributes.TryFind(SecmarkAttribute.Context, out var context) ? new NftSecmarkContent(context.Text()) : null,
        NftObjectKind.CtHelper => Helper(attributes),
        NftObjectKind.CtTimeout => Timeout(attributes),
        NftObjectKind.CtExpectation => Expectation(attributes),
        _ => null,
    };

    private static NftStateContent? State(string name, NlAttributes attributes) =>
        NftStatefulCodec.Read(name, attributes) is { } state ? new NftStateContent(state) : null;

    private static NftHelperContent? Helper(NlAttributes attributes)
    {
        if (!attributes.TryFind(CtHelperAttribute.Name, out var name) || !attributes.TryFind(CtHelperAttribute.L4protocol, out var protocol)) return null;
        return attributes.TryFind(CtHelperAttribute.L3protocol, out var family) && family.U16BigEndian() <= byte.MaxValue
            ? new NftHelperContent(name.Text(), protocol.U8(), (NftFamily)family.U16BigEndian()) : null;
    }

    private static NftTimeoutContent? Timeout(NlAttributes attributes)
    {
        if (!attributes.TryFind(CtTimeoutAttribute.L3protocol, out var family) || !attributes.TryFind(CtTimeoutAttribute.L4protocol, out var protocol)) return null;
        if (!attributes.TryFind(CtTimeoutAttribute.Data, out var data)) return null;
        var seconds = new SortedDictionary<int, uint>();
        foreach (var attribute in data.Nested()) seconds[attribute.Type] = attribute.U32BigEndian();
        // The states are numbered from 1 on.
        if (seconds.Count is 0 or > MaxTimeouts || seconds.Keys.First() != 1 || seconds.Keys.Last() != seconds.Count) return null;
        return new NftTimeoutContent(protocol.U8(), (NftFamily)family.U16BigEndian(), [.. seconds.Values]);
    }

    private static NftExpectationContent? Expectation(NlAttributes attributes)
    {
        if (!attributes.TryFind(CtExpectationAttribute.L4protocol, out var protocol) || !attributes.TryFind(CtExpectationAttribute.Port, out var port)) return null;
        if (!attributes.TryFind(CtExpectationAttribute.Timeout, out var timeout) || !attributes.TryFind(CtExpectationAttribute.Size, out var size)) return null;
        NftFamily? family = attributes.TryFind(CtExpectationAttribute.L3protocol, out var found) ? (NftFamily)found.U16BigEndian() : null;
        return new NftExpectationContent(protocol.U8(), family, port.U16BigEndian(), timeout.U32(), size.U8());
    }

    private static void WriteTimeout(NlMsgWriter writer, NftTimeoutContent timeout)
    {
        writer.PutU16BigEndian(CtTimeoutAttribute.L3protocol, (ushort)timeout.Family);
        writer.PutU8(CtTimeoutAttribute.L4protocol, timeout.Protocol);
        using var states = writer.BeginNested(CtTimeoutAttribute.Data);
        for (var i = 0; i < timeout.Seconds.Length; i++) writer.PutU32BigEndian((CtTimeoutAttribute)(i + 1), timeout.Seconds[i]);
    }
}

internal enum ObjectAttribute : ushort
{
    Table = 1,
    Name = 2,
    Type = 3,
    Data = 4,
    Userdata = 8,
}

internal enum CtHelperAttribute : ushort
{
    Name = 1,
    L3protocol = 2,
    L4protocol = 3,
}

internal enum CtTimeoutAttribute : ushort
{
    L3protocol = 1,
    L4protocol = 2,
    Data = 3,
}

internal enum CtExpectationAttribute : ushort
{
    L3protocol = 1,
    L4protocol = 2,
    Port = 3,
    Timeout = 4,
    Size = 5,
}

internal enum SecmarkAttribute : ushort
{
    Context = 1,
}
