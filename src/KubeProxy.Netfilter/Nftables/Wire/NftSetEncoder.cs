using System.Collections.Immutable;
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
        writer.PutU32BigEndian(SetAttribute.KeyLength, (uint)NftDataTypes.ByteLength(set.KeyType.AsSpan()));
        if (set.Kind == NftSetKind.VerdictMap)
        {
            writer.PutU32BigEndian(SetAttribute.DataType, NftProtocol.VerdictDataType);
            writer.PutU32BigEndian(SetAttribute.DataLength, 0);
        }
        else if (set.Kind == NftSetKind.Map)
        {
            writer.PutU32BigEndian(SetAttribute.DataType, TypeNumber(set.DataType));
            writer.PutU32BigEndian(SetAttribute.DataLength, (uint)NftDataTypes.ByteLength(set.DataType.AsSpan()));
        }

        writer.PutU32BigEndian(SetAttribute.Id, id);
        WriteDescription(writer, set);
        if (set.Timeout is { } timeout) writer.PutU64BigEndian(SetAttribute.Timeout, (ulong)timeout.TotalMilliseconds);
        writer.PutBytes(SetAttribute.Userdata, Userdata(set, isAnonymous).Written);
    }

    private static uint Flags(NftSet set, bool isAnonymous)
    {
        var flags = (uint)set.Flags;
        if (isAnonymous) flags |= (uint)SetWireFlags.Anonymous;
        if (set.Kind != NftSetKind.Set) flags |= (uint)SetWireFlags.Map;
        if (HasFields(set)) flags |= (uint)SetWireFlags.Concat;
        return flags;
    }

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
        foreach (var type in set.KeyType)
        {
            using var field = writer.BeginNested(ListAttribute.Element);
            writer.PutU32BigEndian(SetFieldAttribute.Length, (uint)type.ByteLength());
        }
    }

    private static NftUserdataWriter Userdata(NftSet set, bool isAnonymous)
    {
        var writer = new NftUserdataWriter();
        writer.Put(NftUserdata.SetKeyByteOrder, (uint)ByteOrder(set.KeyType));
        if (set.Kind != NftSetKind.Set) writer.Put(NftUserdata.SetDataByteOrder, (uint)ByteOrder(set.DataType));
        if (isAnonymous && set.Kind == NftSetKind.Set && NftIntervals.IsPaired(set)) writer.Put(NftUserdata.SetMergeElements, 1);
        WriteTypeof(writer, set);
        if (set.Kind != NftSetKind.Set) writer.Put(NftUserdata.SetDataInterval, 0);
        if (set.Comment is { } comment) writer.Put(NftUserdata.SetComment, comment);
        return writer;
    }

    private static void WriteTypeof(NftUserdataWriter writer, NftSet set)
    {
        if (!set.KeyTypeof.IsEmpty) NftTypeof.Write(writer, NftUserdata.SetKeyTypeof, set.KeyTypeof);
        else if (set.KeyType.Length > 1) NftTypeof.WriteConcatOfTypes(writer, NftUserdata.SetKeyTypeof);
        if (!set.DataTypeof.IsEmpty) NftTypeof.Write(writer, NftUserdata.SetDataTypeof, set.DataTypeof);
        else if (set.DataType.Length > 1) NftTypeof.WriteConcatOfTypes(writer, NftUserdata.SetDataTypeof);
        else if (set.Kind == NftSetKind.VerdictMap && !set.KeyTypeof.IsEmpty) NftTypeof.WriteVerdict(writer, NftUserdata.SetDataTypeof);
    }

    private static NftByteOrder ByteOrder(ImmutableArray<NftDataType> types) =>
        types is [var type] ? NftDataTypes.ByteOrder(type) : NftByteOrder.Unspecified;
}
