using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Fields of less than whole bytes: the bytes that hold them are loaded and masked.</summary>
/// <param name="Bytes">How many bytes.</param>
/// <param name="Count">How many bits of them are the field.</param>
/// <param name="Below">How many bits are below it.</param>
internal readonly record struct NftPartialLoads(int Bytes, int Count, int Below)
{
    /// <summary>The mask of the field in its bytes.</summary>
    public NftData Mask => NftBits.Mask(Bytes, Count, Below);

    /// <summary>Null for what fills whole bytes.</summary>
    public static NftPartialLoads? Of(NftExpression expression) => expression switch
    {
        NftPayload { Field: { IsPart: true } field } => new NftPartialLoads(field.ByteLength, field.BitLength, field.Shift),
        NftExtension { IsPresence: false } extension when BytesOf(extension) is var bytes && bytes * 8 != extension.BitLength =>
            new NftPartialLoads(bytes, extension.BitLength, (bytes * 8) - (extension.BitOffset % 8) - extension.BitLength),
        _ => null,
    };

    /// <summary>How many bytes hold a field.</summary>
    public static int BytesOf(NftExtension extension) => ((extension.BitOffset + extension.BitLength + 7) / 8) - (extension.BitOffset / 8);
}
