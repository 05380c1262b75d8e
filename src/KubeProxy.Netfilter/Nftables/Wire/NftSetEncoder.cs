using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Writes the attributes of a set, with the user data that nft needs to print it.</summary>
internal static class NftSetEncoder
{
    public static void Write(NlMsgWriter writer, NftSet set, uint id, bool isAnonymous)
    {
        writer.PutString(SetAttribute.Table, set.Key.Table.Name);
        writer.PutString(SetAttribute.Name, set.Key.Name);
        writer.PutU32BigEndian(SetAttribute.Flags, Flags(set, isAnonymous));
        writer.PutU32BigEndian(SetAttribute.KeyType, TypeNumber(set.KeyType));
        writer.PutU32BigEndian(SetAttribute.KeyLength, (uint)set.KeyLength);
        WriteData(writer, set);
        if (set.PrefersMemory) writer.PutU32BigEndian(SetAttribute.Policy, NftProtocol.MemoryPolicy);
        writer.PutU32BigEndian(SetAttribute.Id, id);
        WriteDescription(writer, set);
        if (set.Timeout is { } timeout) writer.PutU64BigEndian(SetAttribute.Timeout, (ulong)timeout.TotalMilliseconds);
        if (set.GcInterval is { } interval) writer.PutU32BigEndian(SetAttribute.GcInterval, (uint)interval.TotalMilliseconds);
        if (set.Userdata.IsEmpty) writer.PutBytes(SetAttribute.Userdata, Userdata(set, isAnonymous).Written);
        else writer.PutBytes(SetAttribute.Userdata, set.Userdata.AsSpan());
        NftStatementLists.Write(writer, SetAttribute.Expression, SetAttribute.Expressions, set.Statements);
        NftUnknown.Write(writer, set.Unknown);
    }

    /// <summary>What nft keeps with a set, as this library writes it.</summary>
    public static NftUserdataWriter Userdata(NftSet set, bool isAnonymous)
    {
        var writer = new NftUserdataWriter();
        writer.Put(NftUserdata.SetKeyByteOrder, (uint)(set.KeyOrder ?? ByteOrder(set.KeyTypeof, set.KeyType)));
        if (HasData(set)) writer.Put(NftUserdata.SetDataByteOrder, (uint)ByteOrder(set.DataTypeof, set.DataType));
        if (set.AutoMerge || (isAnonymous && set.Kind == NftSetKind.Set && NftIntervals.IsPaired(set))) writer.Put(NftUserdata.SetMergeElements, 1);
        WriteTypeof(writer, set);
        if (HasData(set)) writer.Put(NftUserdata.SetDataInterval, set.HasDataIntervals ? 1u : 0);
        if (set.Comment is { } comment) writer.Put(NftUserdata.SetComment, comment);
        return writer;
    }

    private static void WriteData(NlMsgWriter writer, NftSet set)
    {
        switch (set.Kind)
        {
            case NftSetKind.VerdictMap:
                writer.PutU32BigEndian(SetAttribute.DataType, NftProtocol.VerdictDataType);
                writer.PutU32BigEndian(SetAttribute.DataLength, 0);
                break;
            case NftSetKind.Map:
                writer.PutU32BigEndian(SetAttribute.DataType, TypeNumber(set.DataType));
                writer.PutU32BigEndian(SetAttribute.DataLength, (uint)set.DataLength);
                break;
            case NftSetKind.ObjectMap:
                writer.PutU32BigEndian(SetAttribute.ObjectType, (uint)set.ObjectKind);
                break;
        }
    }

    private static uint Flags(NftSet set, bool isAnonymous)
    {
        var flags = (uint)set.Flags;
        if (isAnonymous) flags |= (uint)SetWireFlags.Anonymous;
        if (HasData(set)) flags |= (uint)SetWireFlags.Map;
        if (set.Kind == NftSetKind.ObjectMap) flags |= (uint)SetWireFlags.Object;
        if (HasFields(set)) flags |= (uint)SetWireFlags.Concat;
        if (!set.Statements.IsEmpty) flags |= (uint)SetWireFlags.Expression;
        return flags;
    }

    private static bool HasData(NftSet set) => set.Kind is NftSetKind.Map or NftSetKind.VerdictMap;

    /// <summary>nft's number of a concatenation: the parts' numbers, 6 bits each, the first one highest.</summary>
    private static uint TypeNumber(ImmutableArray<NftDataType> types) =>
        types.Aggregate(0u, (number, type) => number << NftProtocol.BitsOfType | (uint)type);

    /// <summary>Ranges of concatenations are kept by field, so the kernel has to know the fields.</summary>
    private static bool HasFields(NftSet set) => set.Flags.HasFlag(NftSetFlags.Interval) && set.KeyType.Length > 1;

    private static void WriteDescription(NlMsgWriter writer, NftSet set)
    {
        if (set.Size is null && !HasFields(set)) return;
        using var description = writer.BeginNested(SetAttribute.Description);
        if (set.Size is { } size) writer.PutU32BigEndian(SetDescriptionAttribute.Size, size);
        if (!HasFields(set)) return;
        using var fields = writer.BeginNested(SetDescriptionAttribute.Concat);
        foreach (var format in NftSetFormats.OfKey(set))
        {
            using var field = writer.BeginNested(ListAttribute.Element);
            writer.PutU32BigEndian(SetFieldAttribute.Length, (uint)format.Bytes);
        }
    }

    private static void WriteTypeof(NftUserdataWriter writer, NftSet set)
    {
        if (!set.KeyTypeof.IsEmpty) NftTypeof.Write(writer, NftUserdata.SetKeyTypeof, set.KeyTypeof);
        else if (set.KeyType.Length > 1) NftTypeof.WriteConcatOfTypes(writer, NftUserdata.SetKeyTypeof);
        if (!set.DataTypeof.IsEmpty) NftTypeof.Write(writer, NftUserdata.SetDataTypeof, set.DataTypeof);
        else if (set.DataType.Length > 1) NftTypeof.WriteConcatOfTypes(writer, NftUserdata.SetDataTypeof);
        else if (set.Kind == NftSetKind.VerdictMap && !set.KeyTypeof.IsEmpty) NftTypeof.WriteVerdict(writer, NftUserdata.SetDataTypeof);
    }

    private static NftByteOrder ByteOrder(ImmutableArray<NftExpression> expressions, ImmutableArray<NftDataType> types)
    {
        if (types is not [var type]) return NftByteOrder.Unspecified;
        return expressions is [var single] ? single.FormatsOf()[0].Order : NftDataTypes.ByteOrder(type);
    }
}
