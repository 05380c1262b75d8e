using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Reads sets. What is not known is kept as it is; malformed bytes are an error.</summary>
internal static class NftSetDecoder
{
    private const NftSetFlags KnownFlags = NftSetFlags.Constant | NftSetFlags.Interval | NftSetFlags.Timeout | NftSetFlags.Dynamic;
    private const int MaxLength = 16 * NftData.MaxLength;

    /// <param name="message">The message.</param>
    /// <param name="isAnonymous">Whether the set belongs to a rule.</param>
    public static NftSet Read(NlMessage message, out bool isAnonymous)
    {
        var raw = default(Raw);
        ImmutableArray<byte> unknown = [];
        ImmutableArray<NftStateful> statements = [];
        ReadOnlySpan<byte> userdata = [];
        List<int>? fields = null;
        string? table = null, name = null;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<SetAttribute>())
            {
                case SetAttribute.Table: table = attribute.Text(); break;
                case SetAttribute.Name: name = attribute.Text(); break;
                case SetAttribute.Flags: raw.Flags = attribute.U32BigEndian(); break;
                case SetAttribute.KeyType: raw.KeyType = attribute.U32BigEndian(); break;
                case SetAttribute.KeyLength: raw.KeyLength = attribute.U32BigEndian(); break;
                case SetAttribute.DataType: raw.DataType = attribute.U32BigEndian(); break;
                case SetAttribute.DataLength: raw.DataLength = attribute.U32BigEndian(); break;
                case SetAttribute.ObjectType: raw.ObjectType = attribute.U32BigEndian(); break;
                case SetAttribute.Policy: raw.Policy = attribute.U32BigEndian(); break;
                case SetAttribute.GcInterval: raw.GcInterval = attribute.U32BigEndian(); break;
                case SetAttribute.Timeout: raw.Timeout = attribute.U64BigEndian(); break;
                case SetAttribute.Description: fields = Description(attribute, ref raw.Size); break;
                case SetAttribute.Userdata: userdata = attribute.Payload; break;
                case SetAttribute.Expression when NftStatementLists.ReadOne(attribute) is { } one: statements = one; break;
                case SetAttribute.Expressions when NftStatefulCodec.ReadList(attribute) is { } several: statements = several; break;
                case SetAttribute.Id or SetAttribute.Padding or SetAttribute.Handle or SetAttribute.Backend or SetAttribute.Count: break;
                default: NftUnknown.Keep(ref unknown, attribute); break;
            }
        }

        isAnonymous = (raw.Flags & (uint)SetWireFlags.Anonymous) != 0;
        var key = new NftSetKey(new NftTableKey((NftFamily)NfGenMessage.Read(message).Family, NftObjectDecoder.Require(table)), NftObjectDecoder.Require(name));
        return Set(key, raw, userdata, fields, isAnonymous) with { Statements = statements, Unknown = unknown } is var set
            ? set with { Userdata = NftSetEncoder.Userdata(set, isAnonymous).Written.SequenceEqual(userdata) ? [] : [.. userdata] } : null!;
    }

    private static NftSet Set(NftSetKey key, Raw raw, ReadOnlySpan<byte> userdata, List<int>? fields, bool isAnonymous)
    {
        var kind = Kind(raw);
        var set = new NftSet(key)
        {
            Kind = kind,
            KeyType = Types(raw.KeyType),
            DataType = kind == NftSetKind.Map ? Types(raw.DataType) : [],
            ObjectKind = kind == NftSetKind.ObjectMap ? (NftObjectKind)raw.ObjectType : NftObjectKind.None,
            HasDataIntervals = kind == NftSetKind.Map && NftUserdataReader.Number(userdata, NftUserdata.SetDataInterval) is > 0,
            Flags = (NftSetFlags)raw.Flags & KnownFlags,
            Size = raw.Size,
            Timeout = NftObjectDecoder.Milliseconds(raw.Timeout),
            PrefersMemory = raw.Policy == NftProtocol.MemoryPolicy,
            GcInterval = NftObjectDecoder.Milliseconds(raw.GcInterval),
            AutoMerge = !isAnonymous && NftUserdataReader.Number(userdata, NftUserdata.SetMergeElements) is > 0,
            Comment = NftUserdataReader.Text(userdata, NftUserdata.SetComment),
        };
        set = WithTypeof(set, userdata);
        // Of what has no byte order of its own, only nft knows it.
        if (set is { KeyTypeof: [], KeyType: [NftDataType.Integer or NftDataType.Bitmask] } && NftUserdataReader.Number(userdata, NftUserdata.SetKeyByteOrder) == (uint)NftByteOrder.Big)
            set = set with { KeyOrder = NftByteOrder.Big };
        set = set with { KeyLengths = Lengths(NftSetFormats.OfKey(set), fields, (int)Math.Min(raw.KeyLength, MaxLength)) };
        if (kind != NftSetKind.Map) return set;
        var dataLength = (int)Math.Min(raw.DataLength, MaxLength) / (set.HasDataIntervals ? 2 : 1);
        return set with { DataLengths = Lengths(NftSetFormats.OfData(set), null, dataLength) };
    }

    /// <summary>The lengths of the parts, where they are not as the types have them.</summary>
    private static ImmutableArray<int> Lengths(ImmutableArray<NftFormat> formats, List<int>? fields, int total)
    {
        if (fields is not null && fields.Count == formats.Length)
            return fields.SequenceEqual(formats.Select(format => format.Bytes)) ? [] : [.. fields];
        if (NftExpressionTypes.LengthOf(formats) == total) return [];
        var lengths = formats.Select(format => format.Bytes).ToArray();
        // One part is as long as the others leave it.
        var odd = Array.FindIndex(formats.ToArray(), format => format.Bytes == 0 || format.Type == NftDataType.Integer);
        if (odd < 0) odd = lengths.Length - 1;
        var others = formats.Length == 1 ? 0 : lengths.Where((_, index) => index != odd).Sum(NftDataTypes.Padded);
        lengths[odd] = Math.Max(total - others, 0);
        return [.. lengths];
    }

    private static List<int>? Description(NlAttribute attribute, ref uint? size)
    {
        var nested = attribute.Nested();
        if (nested.TryFind(SetDescriptionAttribute.Size, out var found)) size = found.U32BigEndian();
        if (!nested.TryFind(SetDescriptionAttribute.Concat, out var concat)) return null;
        var fields = new List<int>();
        foreach (var field in concat.Nested())
            if (field.Nested().TryFind(SetFieldAttribute.Length, out var length)) fields.Add((int)Math.Min(length.U32BigEndian(), NftData.MaxLength));
        return fields;
    }

    private static NftSetKind Kind(Raw raw)
    {
        if ((raw.Flags & (uint)SetWireFlags.Object) != 0) return NftSetKind.ObjectMap;
        if ((raw.Flags & (uint)SetWireFlags.Map) == 0) return NftSetKind.Set;
        return raw.DataType == NftProtocol.VerdictDataType ? NftSetKind.VerdictMap : NftSetKind.Map;
    }

    /// <summary>The typeof, if it is known and is of the type that the set has.</summary>
    private static NftSet WithTypeof(NftSet set, ReadOnlySpan<byte> userdata)
    {
        var key = NftTypeof.Read(NftUserdataReader.Find(userdata, NftUserdata.SetKeyTypeof));
        var data = NftTypeof.Read(NftUserdataReader.Find(userdata, NftUserdata.SetDataTypeof));
        if (!NftSetTypeof.HasType(key, set.KeyType)) return set;
        var hasData = set.Kind == NftSetKind.Map && NftSetTypeof.HasType(data, set.DataType);
        if (set.Kind == NftSetKind.Map && !hasData) return set;
        return set with { KeyTypeof = key, DataTypeof = hasData ? data : [] };
    }

    private static ImmutableArray<NftDataType> Types(uint number)
    {
        var types = ImmutableArray.CreateBuilder<NftDataType>();
        for (var rest = number; rest != 0 || types.Count == 0; rest >>= NftProtocol.BitsOfType)
            types.Insert(0, (NftDataType)(rest & ((1 << NftProtocol.BitsOfType) - 1)));
        return types.DrainToImmutable();
    }

    /// <summary>The numbers of a message.</summary>
    private struct Raw
    {
        public uint Flags, KeyType, KeyLength, DataType, DataLength, ObjectType, Policy, GcInterval;
        public ulong Timeout;
        public uint? Size;
    }
}
