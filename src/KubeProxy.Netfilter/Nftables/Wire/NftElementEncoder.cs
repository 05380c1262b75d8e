using System.Text;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Writes elements, without an allocation for each.</summary>
// | NFTA_LIST_ELEM { FLAGS, TIMEOUT, KEY { VALUE }, KEY_END { VALUE }, DATA { VALUE or VERDICT }, USERDATA } |
internal static class NftElementEncoder
{
    // The attribute that holds the elements has a 16-bit length; messages of this size are no slower than longer ones.
    private const int ChunkLength = 48 * 1024;

    /// <summary>Says whether an element is to be written.</summary>
    public delegate bool Filter(int index, in NftElement element);

    /// <summary>Writes as many elements as fit into one message.</summary>
    /// <returns>How many, those included that were not accepted.</returns>
    public static int WriteChunk(NlMsgWriter writer, NftSet set, IReadOnlyList<NftElement> elements, int start, bool isDelete, Filter? accept)
    {
        var isPaired = NftIntervals.IsPaired(set);
        using var list = writer.BeginNested(ElementListAttribute.Elements);
        var index = start;
        for (; index < elements.Count && list.Length < ChunkLength; index++)
        {
            var element = elements[index];
            if (accept is not null && !accept(index, element)) continue;
            if (isPaired && !element.IsCatchAll) WritePair(writer, element, isDelete);
            else WriteElement(writer, set, element, isDelete);
        }

        return index - start;
    }

    private static void WriteElement(NlMsgWriter writer, NftSet set, in NftElement element, bool isDelete)
    {
        using var nest = writer.BeginNested(ListAttribute.Element);
        WriteTimeout(writer, element, isDelete);
        if (element.IsCatchAll)
        {
            writer.PutU32BigEndian(ElementAttribute.Flags, NftProtocol.CatchAll);
            WriteRest(writer, element, isDelete, isOpen: false);
            return;
        }

        NftDataCodec.WriteValue(writer, ElementAttribute.Key, element.Key.Span);
        if (set.Flags.HasFlag(NftSetFlags.Interval))
            NftDataCodec.WriteValue(writer, ElementAttribute.KeyEnd, NftIntervals.Last(element).Span);
        WriteRest(writer, element, isDelete, isOpen: false);
    }

    /// <summary>A range of plain values is two elements: its first value, and the first value that is no more in it.</summary>
    private static void WritePair(NlMsgWriter writer, in NftElement element, bool isDelete)
    {
        Span<byte> end = stackalloc byte[element.Key.Length];
        var last = NftIntervals.Last(element);
        last.Span.CopyTo(end);
        var isOpen = !NftIntervals.TryIncrement(end);
        using (writer.BeginNested(ListAttribute.Element))
        {
            WriteTimeout(writer, element, isDelete);
            NftDataCodec.WriteValue(writer, ElementAttribute.Key, element.Key.Span);
            WriteRest(writer, element, isDelete, isOpen);
        }

        if (isOpen) return;
        using var nest = writer.BeginNested(ListAttribute.Element);
        writer.PutU32BigEndian(ElementAttribute.Flags, NftProtocol.IntervalEnd);
        NftDataCodec.WriteValue(writer, ElementAttribute.Key, end);
    }

    private static void WriteTimeout(NlMsgWriter writer, in NftElement element, bool isDelete)
    {
        if (isDelete) return;
        if (element.Timeout is { } timeout) writer.PutU64BigEndian(ElementAttribute.Timeout, (ulong)timeout.TotalMilliseconds);
        if (element.Expires is { } expires) writer.PutU64BigEndian(ElementAttribute.Expiration, (ulong)expires.TotalMilliseconds);
    }

    private static void WriteRest(NlMsgWriter writer, in NftElement element, bool isDelete, bool isOpen)
    {
        if (isDelete) return;
        if (element.Verdict is { } verdict) NftDataCodec.WriteVerdict(writer, ElementAttribute.Data, verdict);
        else if (!element.Data.IsEmpty) NftDataCodec.WriteValue(writer, ElementAttribute.Data, element.Data.Span);
        if (element.Details is { } details) WriteDetails(writer, details);
        if (element.Comment is null && !isOpen) return;
        Span<byte> userdata = stackalloc byte[256];
        writer.PutBytes(ElementAttribute.Userdata, userdata[..Userdata(userdata, element.Comment, isOpen)]);
    }

    private static void WriteDetails(NlMsgWriter writer, NftElementDetails details)
    {
        if (details.Object is { } name) writer.PutString(ElementAttribute.Object, name);
        NftStatementLists.Write(writer, ElementAttribute.Expression, ElementAttribute.Expressions, details.Statements);
        NftUnknown.Write(writer, details.Unknown);
    }

    private static int Userdata(Span<byte> buffer, string? comment, bool isOpen)
    {
        var length = 0;
        if (comment is not null)
        {
            var bytes = Encoding.UTF8.GetBytes(comment, buffer[2..]) + 1; // with a zero at the end
            buffer[0] = NftUserdata.ElementComment;
            buffer[1] = (byte)bytes;
            buffer[1 + bytes] = 0;
            length = 2 + bytes;
        }

        if (!isOpen) return length;
        buffer[length] = NftUserdata.ElementFlags;
        buffer[length + 1] = sizeof(uint);
        System.Runtime.InteropServices.MemoryMarshal.Write(buffer[(length + 2)..], NftUserdata.ElementIsOpen);
        return length + 2 + sizeof(uint);
    }
}
