using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Statements that keep numbers: in rules, in elements of sets, and as named objects, always with the same attributes.</summary>
internal static class NftStatefulCodec
{
    /// <summary>Null when it is none of them.</summary>
    public static NftStateful? Read(string name, NlAttributes attributes) => name switch
    {
        "counter" => Counter(attributes),
        "limit" => Limit(attributes),
        "quota" => Quota(attributes),
        "connlimit" => Number(attributes, ConnlimitAttribute.Count) is { } count
            ? new NftConnectionLimit(count, ((Number(attributes, ConnlimitAttribute.Flags) ?? 0) & Inverted) != 0) : null,
        "last" => Last(attributes),
        _ => null,
    };

    /// <summary>The statements of a dynset; null when one is not known.</summary>
    public static ImmutableArray<NftStateful>? ReadAll(NlAttributes attributes)
    {
        if (attributes.TryFind(DynsetAttribute.Expressions, out var list)) return ReadList(list);
        if (!attributes.TryFind(DynsetAttribute.Expression, out var single)) return [];
        var (name, data) = NftExpressionList.Read(single);
        return Read(name, data.Nested()) is { } statement ? [statement] : null;
    }

    /// <summary>The statements of a list of expressions; null when one is not known.</summary>
    public static ImmutableArray<NftStateful>? ReadList(NlAttribute list)
    {
        var statements = ImmutableArray.CreateBuilder<NftStateful>();
        foreach (var expression in list.Nested())
        {
            var (name, data) = NftExpressionList.Read(expression);
            if (Read(name, data.Nested()) is not { } statement) return null;
            statements.Add(statement);
        }

        return statements.DrainToImmutable();
    }

    public static string NameOf(NftStateful statement) => statement switch
    {
        NftCounter => "counter",
        NftLimit => "limit",
        NftQuota => "quota",
        NftConnectionLimit => "connlimit",
        NftLast => "last",
        _ => throw new ArgumentException($"{statement} cannot be encoded.", nameof(statement)),
    };

    /// <summary>The attributes alone.</summary>
    public static void Write(NlMsgWriter writer, NftStateful statement)
    {
        switch (statement)
        {
            case NftCounter counter:
                writer.PutU64BigEndian(CounterAttribute.Bytes, counter.Bytes);
                writer.PutU64BigEndian(CounterAttribute.Packets, counter.Packets);
                break;
            case NftLimit limit:
                writer.PutU64BigEndian(LimitAttribute.Rate, limit.Rate);
                writer.PutU64BigEndian(LimitAttribute.Unit, limit.Unit);
                writer.PutU32BigEndian(LimitAttribute.Burst, limit.Burst);
                writer.PutU32BigEndian(LimitAttribute.Type, limit.IsBytes ? 1u : 0);
                writer.PutU32BigEndian(LimitAttribute.Flags, limit.Over ? Inverted : 0);
                break;
            case NftQuota quota:
                writer.PutU64BigEndian(QuotaAttribute.Bytes, quota.Bytes);
                writer.PutU64BigEndian(QuotaAttribute.Consumed, quota.Used);
                writer.PutU32BigEndian(QuotaAttribute.Flags, quota.Over ? Inverted : 0);
                break;
            case NftConnectionLimit connections:
                writer.PutU32BigEndian(ConnlimitAttribute.Count, connections.Count);
                writer.PutU32BigEndian(ConnlimitAttribute.Flags, connections.Over ? Inverted : 0);
                break;
            case NftLast { Used: { } used }:
                writer.PutU32BigEndian(LastAttribute.Set, 1);
                writer.PutU64BigEndian(LastAttribute.Milliseconds, (ulong)used.TotalMilliseconds);
                break;
        }
    }

    private static NftCounter? Counter(NlAttributes attributes)
    {
        if (!attributes.TryFind(CounterAttribute.Packets, out var packets) || !attributes.TryFind(CounterAttribute.Bytes, out var bytes)) return null;
        return new NftCounter { Packets = packets.U64BigEndian(), Bytes = bytes.U64BigEndian() };
    }

    private static NftLimit? Limit(NlAttributes attributes)
    {
        if (!attributes.TryFind(LimitAttribute.Rate, out var rate) || !attributes.TryFind(LimitAttribute.Unit, out var unit)) return null;
        if ((Number(attributes, LimitAttribute.Type) ?? 0) is not (<= 1 and var type)) return null;
        return new NftLimit(
            rate.U64BigEndian(), unit.U64BigEndian(), Number(attributes, LimitAttribute.Burst) ?? 0, type == 1,
            ((Number(attributes, LimitAttribute.Flags) ?? 0) & Inverted) != 0);
    }

    private static NftQuota? Quota(NlAttributes attributes)
    {
        if (!attributes.TryFind(QuotaAttribute.Bytes, out var bytes)) return null;
        var used = attributes.TryFind(QuotaAttribute.Consumed, out var consumed) ? consumed.U64BigEndian() : 0;
        return new NftQuota(bytes.U64BigEndian(), ((Number(attributes, QuotaAttribute.Flags) ?? 0) & Inverted) != 0) { Used = used };
    }

    private static NftLast Last(NlAttributes attributes) => new()
    {
        Used = (Number(attributes, LastAttribute.Set) ?? 0) != 0 && attributes.TryFind(LastAttribute.Milliseconds, out var ago)
            ? TimeSpan.FromTicks((long)Math.Min(ago.U64BigEndian(), (ulong)(long.MaxValue / TimeSpan.TicksPerMillisecond)) * TimeSpan.TicksPerMillisecond) : null,
    };

    private static uint? Number<TAttribute>(NlAttributes attributes, TAttribute type) where TAttribute : unmanaged, Enum =>
        attributes.TryFind(type, out var attribute) ? attribute.U32BigEndian() : null;
}
