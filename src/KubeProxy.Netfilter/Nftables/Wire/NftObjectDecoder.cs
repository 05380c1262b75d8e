using System.Collections.Immutable;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Reads tables and chains. What is not known is kept as it is; malformed bytes are an error.</summary>
internal static class NftObjectDecoder
{
    public static NftTable Table(NlMessage message)
    {
        var family = (NftFamily)NfGenMessage.Read(message).Family;
        string? name = null, comment = null;
        NftTableFlags flags = 0;
        ImmutableArray<byte> unknown = [];
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<TableAttribute>())
            {
                case TableAttribute.Name: name = attribute.Text(); break;
                case TableAttribute.Flags: flags = (NftTableFlags)attribute.U32BigEndian(); break;
                case TableAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.TableComment); break;
                case TableAttribute.Use or TableAttribute.Handle or TableAttribute.Padding or TableAttribute.Owner: break;
                default: NftUnknown.Keep(ref unknown, attribute); break;
            }
        }

        return new NftTable(new NftTableKey(family, Require(name))) { Flags = flags, Comment = comment, Unknown = unknown };
    }

    public static NftChain Chain(NlMessage message)
    {
        var family = (NftFamily)NfGenMessage.Read(message).Family;
        string? table = null, name = null, type = null, comment = null;
        NftBaseChain? hook = null;
        ImmutableArray<byte> unknown = [];
        uint flags = 0;
        var isDrop = false;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<ChainAttribute>())
            {
                case ChainAttribute.Table: table = attribute.Text(); break;
                case ChainAttribute.Name: name = attribute.Text(); break;
                case ChainAttribute.Hook: hook = Hook(family, attribute); break;
                case ChainAttribute.Policy: isDrop = attribute.U32BigEndian() == 0; break;
                case ChainAttribute.Type: type = attribute.Text(); break;
                case ChainAttribute.Userdata: comment = NftUserdataReader.Text(attribute.Payload, NftUserdata.ChainComment); break;
                case ChainAttribute.Flags: flags = attribute.U32BigEndian(); break;
                case ChainAttribute.Handle or ChainAttribute.Use or ChainAttribute.Padding or ChainAttribute.Id: break;
                default: NftUnknown.Keep(ref unknown, attribute); break;
            }
        }

        return new NftChain(new NftChainKey(new NftTableKey(family, Require(table)), Require(name)))
        {
            Base = hook is null ? null : hook with { Type = ChainType(type), DropByDefault = isDrop },
            Comment = comment,
            IsBlock = (flags & NftProtocol.ChainBinding) != 0,
            Offload = (flags & NftProtocol.ChainOffload) != 0,
            Unknown = unknown,
        };
    }

    /// <summary>A time in milliseconds; null for none, and at most what <see cref="TimeSpan"/> can hold.</summary>
    public static TimeSpan? Milliseconds(ulong milliseconds) => milliseconds == 0
        ? null
        : TimeSpan.FromTicks((long)Math.Min(milliseconds, (ulong)(long.MaxValue / TimeSpan.TicksPerMillisecond)) * TimeSpan.TicksPerMillisecond);

    private static NftBaseChain? Hook(NftFamily family, NlAttribute attribute)
    {
        uint? hook = null;
        var priority = 0;
        ImmutableArray<string> devices = [];
        foreach (var nested in attribute.Nested())
        {
            switch (nested.As<HookAttribute>())
            {
                case HookAttribute.Number: hook = nested.U32BigEndian(); break;
                case HookAttribute.Priority: priority = (int)nested.U32BigEndian(); break;
                case HookAttribute.Device: devices = [nested.Text()]; break;
                case HookAttribute.Devices:
                    devices = [];
                    foreach (var device in nested.Nested()) devices = devices.Add(device.Text());
                    break;
            }
        }

        return hook is { } number ? new NftBaseChain(NftChainType.Filter, NftHooks.Hook(family, number), priority) { Devices = devices } : null;
    }

    private static NftChainType ChainType(string? type) => type switch
    {
        "nat" => NftChainType.Nat,
        "route" => NftChainType.Route,
        _ => NftChainType.Filter,
    };

    internal static string Require(string? name) =>
        string.IsNullOrEmpty(name) ? throw new NetlinkFormatException("An nftables object without a name.") : name;
}
