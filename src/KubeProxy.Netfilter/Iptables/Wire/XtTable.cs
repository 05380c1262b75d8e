using System.Collections.Frozen;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>The extensions of one kind, found by name and revision, and by type.</summary>
/// <typeparam name="TBase">Matches or targets.</typeparam>
internal sealed class XtTable<TBase>(string expression, params XtCodec<TBase>[] codecs) where TBase : class
{
    private const int LargestOnStack = 1024;

    private readonly FrozenDictionary<(string Name, uint Revision), XtCodec<TBase>[]> _byName =
        codecs.GroupBy(codec => (codec.Name, codec.Revision)).ToFrozenDictionary(group => group.Key, group => group.ToArray());

    private readonly FrozenDictionary<Type, XtCodec<TBase>[]> _byType =
        codecs.GroupBy(codec => codec.Type).ToFrozenDictionary(group => group.Key, group => group.ToArray());

    /// <summary>All of them.</summary>
    public IReadOnlyList<XtCodec<TBase>> Codecs => codecs;

    /// <summary>Reads an extension; null when it is not known, or would not be written back the same.</summary>
    public TBase? Read(NftOpaque opaque, in XtContext context)
    {
        if (opaque.Name != expression || !XtExtension.TryRead(opaque, out var extension)) return null;
        if (!_byName.TryGetValue((extension.Name, extension.Revision), out var found)) return null;
        foreach (var codec in found)
        {
            if (codec.Size != extension.Info.Length || !Fits(codec, context.Family)) continue;
            if (codec.Read(extension.Info, context) is { } value && (codec.IsExact || IsSame(codec, value, extension.Info, context))) return value;
        }

        return null;
    }

    /// <summary>The expression that carries an extension.</summary>
    /// <exception cref="ArgumentException">It does not fit its struct, or the family does not have it.</exception>
    public NftOpaque Write(TBase value, in XtContext context)
    {
        var codec = Require(value, context.Family);
        Span<byte> info = codec.Size <= LargestOnStack ? stackalloc byte[codec.Size] : new byte[codec.Size];
        info.Clear();
        codec.Write(value, info, context);
        return new XtExtension(codec.Name, codec.Revision, info).ToExpression(expression);
    }

    /// <summary>Its codec for the text, which is there where a family does not have the extension too; null when the type is none of the table's.</summary>
    public XtCodec<TBase>? Find(TBase value, IpFamily? family) => _byType.TryGetValue(value.GetType(), out var found)
        ? Array.Find(found, codec => family is { } only && Fits(codec, only)) ?? found[0] : null;

    private static bool Fits(XtCodec<TBase> codec, IpFamily family) => codec.Family is null || codec.Family == family;

    private static bool IsSame(XtCodec<TBase> codec, TBase value, ReadOnlySpan<byte> info, in XtContext context)
    {
        Span<byte> written = codec.Size <= LargestOnStack ? stackalloc byte[codec.Size] : new byte[codec.Size];
        written.Clear();
        try
        {
            codec.Write(value, written, context);
        }
        catch (ArgumentException)
        {
            return false;
        }

        return written.SequenceEqual(info);
    }

    private XtCodec<TBase> Require(TBase value, IpFamily family)
    {
        if (_byType.TryGetValue(value.GetType(), out var found))
            foreach (var codec in found)
                if (Fits(codec, family)) return codec;
        throw new ArgumentException($"{family} has no extension for {value.GetType().Name}.", nameof(value));
    }
}
