using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// What the kernel has to know of a rule with xt extensions beside its expressions: the protocol, because some of them are
/// only allowed with one. It is not kept, so it is told from the rule itself.
/// </summary>
// | NFTA_RULE_COMPAT { NFTA_RULE_COMPAT_PROTO be32, NFTA_RULE_COMPAT_FLAGS be32 } |
internal static class NftCompatEncoder
{
    private const uint InvertedFlag = 2; // NFT_RULE_COMPAT_F_INV

    private enum CompatAttribute : ushort
    {
        Protocol = 1, // NFTA_RULE_COMPAT_PROTO
        Flags = 2, // NFTA_RULE_COMPAT_FLAGS
    }

    public static void Write(NlMsgWriter writer, NftRule rule)
    {
        if (!HasExtension(rule)) return;
        var (protocol, inverted) = ProtocolOf(rule);
        using var compat = writer.BeginNested(RuleAttribute.Compat);
        writer.PutU32BigEndian(CompatAttribute.Protocol, protocol);
        writer.PutU32BigEndian(CompatAttribute.Flags, inverted ? InvertedFlag : 0);
    }

    private static bool HasExtension(NftRule rule)
    {
        foreach (var statement in rule.Statements)
            if (statement is NftOpaque { Name: "match" or "target" }) return true;
        return false;
    }

    private static (uint Protocol, bool Inverted) ProtocolOf(NftRule rule)
    {
        foreach (var statement in rule.Statements)
        {
            if (statement is NftMatch { Right.Value.Length: 1 } match && (match.Left is NftMeta { Key: NftMetaKey.L4proto } || match.Left is NftPayload { Field: var field } && field == NftField.IpProtocol))
                return (match.Right.Value.Span[0], match.Operator == NftOperator.NotEqual);
        }

        return (0, false);
    }
}
