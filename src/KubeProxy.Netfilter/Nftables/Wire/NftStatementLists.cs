using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Statements of sets and elements: one has an attribute of its own, several are a list.</summary>
internal static class NftStatementLists
{
    public static void Write<TAttribute>(NlMsgWriter writer, TAttribute single, TAttribute list, ImmutableArray<NftStateful> statements)
        where TAttribute : unmanaged, Enum
    {
        if (statements is [var one])
        {
            using var nest = writer.BeginNested(single);
            WriteOne(writer, one);
        }
        else if (!statements.IsEmpty)
        {
            using var nest = writer.BeginNested(list);
            foreach (var statement in statements)
            {
                using var element = writer.BeginNested(ListAttribute.Element);
                WriteOne(writer, statement);
            }
        }
    }

    /// <summary>The statement that stands alone; none when it is not known.</summary>
    public static ImmutableArray<NftStateful>? ReadOne(NlAttribute expression)
    {
        var (name, data) = NftExpressionList.Read(expression);
        return NftStatefulCodec.Read(name, data.Nested()) is { } statement ? [statement] : null;
    }

    private static void WriteOne(NlMsgWriter writer, NftStateful statement)
    {
        writer.PutString(ExpressionAttribute.Name, NftStatefulCodec.NameOf(statement));
        using var data = writer.BeginNested(ExpressionAttribute.Data);
        NftStatefulCodec.Write(writer, statement);
    }
}

/// <summary>Attributes that this library does not know: kept as they came, one after the other, and written so.</summary>
internal static class NftUnknown
{
    /// <summary>Appends an attribute.</summary>
    public static void Keep(ref ImmutableArray<byte> unknown, NlAttribute attribute)
    {
        var length = 4 + attribute.Payload.Length;
        var bytes = new byte[NlMsgHeader.Align(length)];
        System.Runtime.InteropServices.MemoryMarshal.Write(bytes, (ushort)length);
        System.Runtime.InteropServices.MemoryMarshal.Write(bytes.AsSpan(2), attribute.RawType);
        attribute.Payload.CopyTo(bytes.AsSpan(4));
        unknown = (unknown.IsDefault ? [] : unknown).AddRange(bytes);
    }

    public static void Write(NlMsgWriter writer, ImmutableArray<byte> unknown)
    {
        if (unknown.IsDefaultOrEmpty) return;
        foreach (var attribute in new NlAttributes(unknown.AsSpan())) writer.PutBytes((UnknownAttribute)attribute.RawType, attribute.Payload);
    }

    private enum UnknownAttribute : ushort;
}
