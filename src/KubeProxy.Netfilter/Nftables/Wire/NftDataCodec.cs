using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Values and verdicts (<c>enum nft_data_attributes</c>).</summary>
internal static class NftDataCodec
{
    private const uint Drop = 0; // NF_DROP
    private const uint Accept = 1; // NF_ACCEPT
    private const uint Continue = unchecked((uint)-1); // NFT_CONTINUE
    private const uint Jump = unchecked((uint)-3); // NFT_JUMP
    private const uint Goto = unchecked((uint)-4); // NFT_GOTO
    private const uint Return = unchecked((uint)-5); // NFT_RETURN

    public static void WriteValue<TAttribute>(NlMsgWriter writer, TAttribute attribute, ReadOnlySpan<byte> value)
        where TAttribute : unmanaged, Enum
    {
        using var data = writer.BeginNested(attribute);
        writer.PutBytes(DataAttribute.Value, value);
    }

    public static void WriteVerdict<TAttribute>(NlMsgWriter writer, TAttribute attribute, NftVerdict verdict)
        where TAttribute : unmanaged, Enum
    {
        using var data = writer.BeginNested(attribute);
        using var nested = writer.BeginNested(DataAttribute.Verdict);
        writer.PutU32BigEndian(VerdictAttribute.Code, Code(verdict.Kind));
        if (verdict.Chain is { } chain) writer.PutString(VerdictAttribute.Chain, chain);
    }

    /// <summary>The value in a data attribute.</summary>
    /// <exception cref="NetlinkFormatException">It has none, or one of more than <see cref="NftData.MaxLength"/> bytes.</exception>
    public static NftData ReadValue(NlAttribute data)
    {
        if (!data.Nested().TryFind(DataAttribute.Value, out var value)) throw new NetlinkFormatException("Data without a value.");
        if (value.Payload.Length > NftData.MaxLength)
            throw new NetlinkFormatException($"A value of {value.Payload.Length} bytes; nf_tables has at most {NftData.MaxLength}.");
        return new NftData(value.Payload);
    }

    /// <summary>The verdict in a data attribute; null when it is a value, or a verdict that this library does not know.</summary>
    public static NftVerdict? ReadVerdict(NlAttribute data, NftVerdictCache cache)
    {
        if (!data.Nested().TryFind(DataAttribute.Verdict, out var verdict)) return null;
        uint? code = null;
        ReadOnlySpan<byte> chain = [];
        foreach (var attribute in verdict.Nested())
        {
            switch (attribute.As<VerdictAttribute>())
            {
                case VerdictAttribute.Code: code = attribute.U32BigEndian(); break;
                case VerdictAttribute.Chain: chain = attribute.Payload; break;
            }
        }

        return code switch
        {
            Drop => NftVerdict.Drop,
            Accept => NftVerdict.Accept,
            Continue => NftVerdict.Continue,
            Return => NftVerdict.Return,
            Jump => cache.Get(NftVerdictKind.Jump, chain),
            Goto => cache.Get(NftVerdictKind.Goto, chain),
            _ => null,
        };
    }

    private static uint Code(NftVerdictKind kind) => kind switch
    {
        NftVerdictKind.Accept => Accept,
        NftVerdictKind.Drop => Drop,
        NftVerdictKind.Continue => Continue,
        NftVerdictKind.Return => Return,
        NftVerdictKind.Jump => Jump,
        NftVerdictKind.Goto => Goto,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a verdict."),
    };
}

/// <summary>Keeps one verdict for each chain, so that reading a large verdict map allocates nothing for its elements.</summary>
internal sealed class NftVerdictCache
{
    private const int MaxNameLength = 255; // NFT_NAME_MAXLEN - 1

    private readonly Dictionary<string, NftVerdict> _jumps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NftVerdict> _gotos = new(StringComparer.Ordinal);

    public NftVerdict Get(NftVerdictKind kind, ReadOnlySpan<byte> chain)
    {
        var end = chain.IndexOf((byte)0);
        if (end >= 0) chain = chain[..end];
        if (chain.Length is 0 or > MaxNameLength) throw new NetlinkFormatException($"A chain name of {chain.Length} bytes.");
        Span<char> buffer = stackalloc char[MaxNameLength];
        ReadOnlySpan<char> name = buffer[..Encoding.UTF8.GetChars(chain, buffer)];
        var cache = kind == NftVerdictKind.Jump ? _jumps : _gotos;
        var lookup = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var verdict)) return verdict;
        return lookup[name] = new NftVerdict(kind, name.ToString());
    }
}
