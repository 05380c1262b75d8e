using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Reads the state of a protocol.</summary>
internal static class FlowStateDecoder
{
    // CTA_PROTOINFO_TCP { state, window scales, flags } or CTA_PROTOINFO_SCTP { state, tags } or CTA_PROTOINFO_DCCP { state, role, sequence }
    public static void Decode(NlAttributes attributes, ref FlowTcp? tcp, ref FlowSctp? sctp, ref FlowDccp? dccp)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtStateAttribute>())
            {
                case CtStateAttribute.Tcp: tcp = Tcp(attribute.Nested()); break;
                case CtStateAttribute.Sctp: sctp = Sctp(attribute.Nested()); break;
                case CtStateAttribute.Dccp: dccp = Dccp(attribute.Nested()); break;
            }
        }
    }

    private static FlowTcp Tcp(NlAttributes attributes)
    {
        byte state = 0, originalScale = 0, replyScale = 0, originalFlags = 0, replyFlags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtTcpAttribute>())
            {
                case CtTcpAttribute.State: state = attribute.U8(); break;
                case CtTcpAttribute.OriginalWindowScale: originalScale = attribute.U8(); break;
                case CtTcpAttribute.ReplyWindowScale: replyScale = attribute.U8(); break;
                case CtTcpAttribute.OriginalFlags: originalFlags = attribute.Exactly(2)[0]; break; // flags, mask
                case CtTcpAttribute.ReplyFlags: replyFlags = attribute.Exactly(2)[0]; break;
            }
        }

        return new FlowTcp((FlowTcpState)state, (FlowTcpFlags)originalFlags, (FlowTcpFlags)replyFlags, originalScale, replyScale);
    }

    private static FlowSctp Sctp(NlAttributes attributes)
    {
        byte state = 0;
        uint originalTag = 0, replyTag = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtSctpAttribute>())
            {
                case CtSctpAttribute.State: state = attribute.U8(); break;
                case CtSctpAttribute.OriginalTag: originalTag = attribute.U32BigEndian(); break;
                case CtSctpAttribute.ReplyTag: replyTag = attribute.U32BigEndian(); break;
            }
        }

        return new FlowSctp((FlowSctpState)state, originalTag, replyTag);
    }

    private static FlowDccp Dccp(NlAttributes attributes)
    {
        const byte Server = 1; // CT_DCCP_ROLE_SERVER
        byte state = 0, role = 0;
        ulong sequence = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtDccpAttribute>())
            {
                case CtDccpAttribute.State: state = attribute.U8(); break;
                case CtDccpAttribute.Role: role = attribute.U8(); break;
                case CtDccpAttribute.HandshakeSequence: sequence = attribute.U64BigEndian(); break;
            }
        }

        return new FlowDccp((FlowDccpState)state, role == Server, sequence);
    }
}
