using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>
/// An xt match or target as nft_compat carries it (linux/netfilter/nf_tables_compat.h): name, revision, and the struct that the
/// extension's own header defines, padded to 8 bytes.
/// </summary>
internal readonly ref struct XtExtension(string name, uint revision, ReadOnlySpan<byte> info)
{
    /// <summary>The name of the nf_tables expression that holds a match.</summary>
    public const string Match = "match";

    /// <summary>The name of the nf_tables expression that holds a target.</summary>
    public const string Target = "target";

    private const int HeaderLength = 4;

    // The same numbers for matches and targets.
    private enum Attribute : ushort
    {
        Name = 1, // NFTA_MATCH_NAME, NFTA_TARGET_NAME
        Revision = 2, // NFTA_MATCH_REV, NFTA_TARGET_REV
        Info = 3, // NFTA_MATCH_INFO, NFTA_TARGET_INFO
    }

    public string Name { get; } = name;

    public uint Revision { get; } = revision;

    public ReadOnlySpan<byte> Info { get; } = info;

    /// <summary>Reads it; false when it is not one.</summary>
    public static bool TryRead(NftOpaque expression, out XtExtension extension)
    {
        extension = default;
        if (expression.Name is not (Match or Target)) return false;
        var attributes = new NlAttributes(expression.Attributes.AsSpan());
        try
        {
            if (!attributes.TryFind(Attribute.Name, out var name) || !attributes.TryFind(Attribute.Info, out var info)) return false;
            var revision = attributes.TryFind(Attribute.Revision, out var found) ? found.U32BigEndian() : 0;
            extension = new XtExtension(name.Text(), revision, info.Payload);
            return true;
        }
        catch (NetlinkFormatException)
        {
            return false;
        }
    }

    /// <summary>The expression that carries it.</summary>
    public NftOpaque ToExpression(string expression)
    {
        var nameLength = Encoding.ASCII.GetByteCount(Name) + 1;
        var bytes = new byte[HeaderLength + Aligned(nameLength) + HeaderLength + sizeof(uint) + HeaderLength + Aligned(Info.Length)];
        var at = bytes.AsSpan();
        Encoding.ASCII.GetBytes(Name, Begin(ref at, Attribute.Name, nameLength));
        BinaryPrimitives.WriteUInt32BigEndian(Begin(ref at, Attribute.Revision, sizeof(uint)), Revision);
        Info.CopyTo(Begin(ref at, Attribute.Info, Info.Length));
        return new NftOpaque(expression) { Attributes = ImmutableCollectionsMarshal.AsImmutableArray(bytes) };
    }

    private static Span<byte> Begin(ref Span<byte> at, Attribute attribute, int length)
    {
        MemoryMarshal.Write(at, (ushort)(HeaderLength + length));
        MemoryMarshal.Write(at[2..], (ushort)attribute);
        var payload = at.Slice(HeaderLength, length);
        at = at[(HeaderLength + Aligned(length))..];
        return payload;
    }

    private static int Aligned(int length) => (length + 3) & ~3;
}
