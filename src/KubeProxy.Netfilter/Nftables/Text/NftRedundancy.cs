using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>
/// Which comparisons of a protocol nft leaves out, because a field that comes later is only there in packets of that protocol. Only
/// while nothing but comparisons stands between, and in tables of several families with care: there they restrict more.
/// </summary>
/// <param name="table">The family of the table.</param>
/// <param name="leaveOut">Called with the place of a statement that is left out.</param>
internal sealed class NftRedundancy(NftFamily table, Action<int> leaveOut)
{
    // By the layer that the comparison names: 1 the link layer, 2 the network, 3 the transport, 4 what it carries.
    private readonly (NftMatch Match, int Place)?[] _seen = new (NftMatch, int)?[6];
    private int _icmpType;

    private const int Link = 1;
    private const int Network = 2;
    private const int Transport = 3;
    private const int Inner = 4;

    public void See(NftStatement statement, int place, NftPacketContext context)
    {
        switch (statement)
        {
            case NftNat nat:
                Fields(nat.Address, context);
                if (nat.Port is not null) Forget();
                Fields(nat.Port, context);
                break;
            case NftTproxy { Port: not null }: Forget(); break;
            case NftReject reject: Reject(reject); break;
            case NftSetPayload set:
                Field(set.Field);
                Fields(set.Value, context);
                break;
            default:
                foreach (var expression in NftParts.Of(statement)) Fields(expression, context);
                break;
        }

        if (statement is NftMatch { Operator: NftOperator.Equal } match) Remember(match, place);
        if (!IsCondition(statement)) Forget();
    }

    private static bool IsCondition(NftStatement statement) => statement is NftMatch or NftRangeMatch or NftPrefixMatch or NftBitsMatch
        or NftSetMatch or NftAnonymousSetMatch or NftVerdictMapStatement or NftAnonymousVerdictMap;

    private void Forget() => Array.Clear(_seen);

    private void Fields(NftExpression? expression, NftPacketContext context)
    {
        if (expression is null) return;
        foreach (var part in NftParts.All(expression))
        {
            switch (part)
            {
                case NftPayload payload when context.Resolve(payload.Field) is { } field: Field(field); break;
                case NftExtension { Kind: NftExtensionKind.TcpOption }: LeaveOut(Transport); break;
                case NftExtension { Kind: NftExtensionKind.Ipv6Header or NftExtensionKind.IpOption }: LeaveOut(Network); break;
            }
        }
    }

    private void Field(NftField field)
    {
        var layer = Layer(field.Base);
        if (Dependency(layer) is { } dependency && MayLeaveOut(dependency.Match, field, layer)) LeaveOut(layer);
    }

    private (NftMatch Match, int Place)? Dependency(int layer) => _seen[layer] ?? (layer == Transport ? _seen[Inner] : null);

    private void LeaveOut(int layer)
    {
        if (_seen[layer] is null && layer == Transport) layer = Inner;
        if (_seen[layer] is not { } dependency) return;
        leaveOut(dependency.Place);
        _seen[layer] = null;
    }

    private bool MayLeaveOut(NftMatch dependency, NftField field, int layer)
    {
        var own = (dependency.Left as NftPayload)?.Field;
        if (NftPacketContext.IsMixed(table))
        {
            if (own is { Base: NftPayloadBase.Network, Header: "ip" or "ip6" } && layer == Transport) return false;
            if (own is not null && own.Base == field.Base)
            {
                if (IsSelector(field)) return false;
                if (layer == Link) return own.Header != "vlan" && (own.Header != "ether" || dependency.Right.Value.Span is [0x81, 0x00]);
            }
        }

        if (layer != Transport || own is not { Base: NftPayloadBase.Transport }) return true;
        if (own.Header is not ("icmp" or "icmpv6")) return true;
        return field.IcmpType is { } type && own.Owner == field.Owner && _icmpType == type;
    }

    private void Remember(NftMatch match, int place)
    {
        switch (match.Left)
        {
            case NftMeta { Key: NftMetaKey.Iiftype }: _seen[Link] = (match, place); break;
            case NftMeta { Key: NftMetaKey.Nfproto or NftMetaKey.Protocol }: Remember(Network, match, place); break;
            case NftMeta { Key: NftMetaKey.L4proto } or NftCt { Key: NftCtKey.Protocol }:
                if (_seen[Network] is { } network && MayLeaveOutFamily(network.Match, match)) LeaveOut(Network);
                Remember(Transport, match, place);
                break;
            case NftCt { Key: NftCtKey.L3protocol }: Remember(Network, match, place); break;
            case NftPayload { Field: var field } when IsSelector(field): RememberField(field, match, place); break;
        }
    }

    private void RememberField(NftField field, NftMatch match, int place)
    {
        if (field.Header is "icmp" or "icmpv6")
        {
            var type = (int)match.Right.Value.Span[0];
            var isIcmp = field.Header == "icmp";
            _icmpType = isIcmp && type == 0 ? 8 : type;
            // Requests and replies have the same fields, so they are never left out.
            if (isIcmp ? _icmpType == 8 : type is 128 or 129) return;
        }

        // A VLAN tag is a part of the link layer.
        var isTag = field.Base == NftPayloadBase.Link && match.Right.Value.Span is [0x81, 0x00] or [0x88, 0xA8];
        Remember(Layer(field.Base) + (isTag ? 0 : 1), match, place);
    }

    private void Remember(int layer, NftMatch match, int place) => _seen[layer] = (match, place);

    /// <summary>Whether a comparison of the family says nothing more than the comparison of the protocol after it.</summary>
    private bool MayLeaveOutFamily(NftMatch family, NftMatch protocol)
    {
        NftFamily? of = family.Left switch
        {
            NftMeta { Key: NftMetaKey.Nfproto } when family.Right.Value.Length == 1 => (NftFamily)family.Right.Value.Span[0],
            NftMeta { Key: NftMetaKey.Protocol } or NftPayload { Field.Type: NftDataType.EtherType } when family.Right.Value.Length == 2 =>
                NftHeaders.FamilyOf(System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(family.Right.Value.Span)),
            _ => null,
        };
        if (family.Left is not (NftMeta or NftPayload { Field.Type: NftDataType.EtherType })) return true;
        if (!NftPacketContext.IsMixed(table)) return table is not (NftFamily.Ip or NftFamily.Ip6) || table == of;
        if (protocol.Left is not NftMeta) return true;
        return protocol.Right.Value.Span switch
        {
            [(byte)NftHeaders.Icmp] => of != NftFamily.Ip6,
            [(byte)NftHeaders.Icmpv6] => of != NftFamily.Ip,
            _ => false,
        };
    }

    private void Reject(NftReject reject)
    {
        if (!NftPacketContext.IsMixed(table))
        {
            if (reject.TcpReset && table is NftFamily.Ip or NftFamily.Ip6) LeaveOut(Transport);
        }
        else if (reject is not { With.IsEither: true } && (reject.TcpReset || _seen[Network] is not null))
        {
            LeaveOut(Network);
        }
    }

    private static bool IsSelector(NftField field) => field == NftField.IpProtocol || field == NftField.Ip6Nexthdr
        || (field.Base == NftPayloadBase.Link && field.Type == NftDataType.EtherType)
        || field == NftField.IcmpTypeField || field == NftField.Icmpv6TypeField || field is { Name: "nexthdr", Header: "ah" or "comp" };

    private static int Layer(NftPayloadBase @base) => @base switch
    {
        NftPayloadBase.Link => Link,
        NftPayloadBase.Network => Network,
        NftPayloadBase.Transport => Transport,
        _ => Inner,
    };
}
