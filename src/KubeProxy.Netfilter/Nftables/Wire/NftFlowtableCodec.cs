using System.Collections.Immutable;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Reads and writes flowtables.</summary>
internal static class NftFlowtableCodec
{
    public static NftFlowtable Read(NlMessage message)
    {
        string? table = null, name = null;
        ImmutableArray<byte> attributes = [];
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<FlowtableAttribute>())
            {
                case FlowtableAttribute.Table: table = attribute.Text(); break;
                case FlowtableAttribute.Name: name = attribute.Text(); break;
                case FlowtableAttribute.Use or FlowtableAttribute.Handle or FlowtableAttribute.Padding: break;
                default: NftUnknown.Keep(ref attributes, attribute); break;
            }
        }

        var key = new NftTableKey((NftFamily)NfGenMessage.Read(message).Family, NftObjectDecoder.Require(table));
        return new NftFlowtable(new NftFlowtableKey(key, NftObjectDecoder.Require(name)), attributes);
    }

    public static void WriteKey(NlMsgWriter writer, NftFlowtableKey key)
    {
        writer.PutString(FlowtableAttribute.Table, key.Table.Name);
        writer.PutString(FlowtableAttribute.Name, key.Name);
    }
}

internal enum FlowtableAttribute : ushort
{
    Table = 1,
    Name = 2,
    Use = 4,
    Handle = 5,
    Padding = 6,
}
