using System.Collections.Immutable;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Reads tables, chains and sets. What is not known is left out, or kept as a number; malformed bytes are an error.</summary>
internal static class NftObjectDecoder
{
    public static NftTable Table(NlMessage message)
    {
        var family = (NftFamily)NfGenMessage.Read(message).Family;
        string? name = null, comment = null;
        NftTableFlags flags = 0;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<TableAttribute>())
            {
                case TableAttribute.Name: name = attribute.Text(); break;
                case TableAttribute.Flags: flags = (NftTableFlags)attribute.U32BigEndian(); break;
                case TableAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.TableComment); break;
            }
        }

        return new NftTable(new NftTableKey(family, Require(name))) { Flags = flags, Comment = comment };
    }

    public static NftChain Chain(NlMessage message)
    {
        var family = (NftFamily)NfGenMessage.Read(message).Family;
        string? table = null, name = null, type = null, comment = null;
        (NftHook Hook, int Priority)? hook = null;
        var isDrop = false;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<ChainAttribute>())
            {
                case ChainAttribute.Table: table = attribute.Text(); break;
                case ChainAttribute.Name: name = attribute.Text(); break;
                case ChainAttribute.Hook: hook = Hook(attribute); break;
                case ChainAttribute.Policy: isDrop = attribute.U32BigEndian() == 0; break;
                case ChainAttribute.Type: type = attribute.Text(); break;
                case ChainAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.ChainComment); break;
            }
        }

        return new NftChain(new NftChainKey(new NftTableKey(family, Require(table)), Require(name)))
        {
            Base = hook is { } found ? new NftBaseChain(ChainType(type), found.Hook, found.Priority, isDrop) : null,
            Comment = comment,
        };
    }

    /// <param name="message">The message.</param>
    /// <param name="isAnonymous">Whether the set belongs to a rule.</param>
    public static NftSet Set(NlMessage message, out bool isAnonymous)
    {
        var family = (NftFamily)NfGenMessage.Read(message).Family;
        string? table = null, name = null;
        uint flags = 0, keyType = 0, dataType = 0;
        uint? size = null;
        ulong timeout = 0;
        ReadOnlySpan<byte> userdata = [];
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<SetAttribute>())
            {
                case SetAttribute.Table: table = attribute.Text(); break;
                case SetAttribute.Name: name = attribute.Text(); break;
                case SetAttribute.Flags: flags = attribute.U32BigEndian(); break;
                case SetAttribute.KeyType: keyType = attribute.U32BigEndian(); break;
                case SetAttribute.DataType: dataType = attribute.U32BigEndian(); break;
                case SetAttribute.Description when attribute.Nested().TryFind(SetDescriptionAttribute.Size, out var found):
                    size = found.U32BigEndian();
                    break;
                case SetAttribute.Timeout: timeout = attribute.U64BigEndian(); break;
                case SetAttribute.Userdata: userdata = attribute.Payload; break;
            }
        }

        isAnonymous = (flags & (uint)SetWireFlags.Anonymous) != 0;
        var kind = Kind(flags, dataType);
        var set = new NftSet(new NftSetKey(new NftTableKey(family, Require(table)), Require(name)))
        {
            Kind = kind,
            KeyType = Types(keyType),
            DataType = kind == NftSetKind.Map ? Types(dataType) : [],
            Flags = (NftSetFlags)flags & KnownFlags,
            Size = size,
            Timeout = Milliseconds(timeout),
            Comment = NftUserdataReader.Text(userdata, NftUserdata.SetComment),
        };
        return WithTypeof(set, userdata);
    }

    /// <summary>A time in milliseconds; null for none, and at most what <see cref="TimeSpan"/> can hold.</summary>
    public static TimeSpan? Milliseconds(ulong milliseconds) => milliseconds == 0
        ? null
        : TimeSpan.FromTicks((long)Math.Min(milliseconds, (ulong)(long.MaxValue / TimeSpan.TicksPerMillisecond)) * TimeSpan.TicksPerMillisecond);

    private static NftSetFlags KnownFlags =>
        NftSetFlags.Constant | NftSetFlags.Interval | NftSetFlags.Timeout | NftSetFlags.Dynamic;

    private static NftSetKind Kind(uint flags, uint dataType)
    {
        if ((flags & (uint)SetWireFlags.Map) == 0) return NftSetKind.Set;
        return dataType == NftProtocol.VerdictDataType ? NftSetKind.VerdictMap : NftSetKind.Map;
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

    private static (NftHook, int)? Hook(NlAttribute attribute)
    {
        uint? hook = null;
        var priority = 0;
        foreach (var nested in attribute.Nested())
        {
            switch (nested.As<HookAttribute>())
            {
                case HookAttribute.Number: hook = nested.U32BigEndian(); break;
                case HookAttribute.Priority: priority = (int)nested.U32BigEndian(); break;
            }
        }

        return hook is { } number ? ((NftHook)number, priority) : null;
    }

    private static NftChainType ChainType(string? type) => type switch
    {
        "nat" => NftChainType.Nat,
        "route" => NftChainType.Route,
        _ => NftChainType.Filter,
    };

    private static string Require(string? name) =>
        string.IsNullOrEmpty(name) ? throw new NetlinkFormatException("An nftables object without a name.") : name;
}
