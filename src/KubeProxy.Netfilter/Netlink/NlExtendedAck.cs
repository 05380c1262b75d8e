using System.Runtime.InteropServices;

namespace KubeProxy.Netlink;

/// <summary>What the kernel says about a refused request, beyond the errno (<c>enum nlmsgerr_attrs</c>).</summary>
/// <param name="Message">An English sentence for humans; null when the kernel gave none.</param>
/// <param name="AttributeOffset">Where the offending attribute begins, in bytes from the start of the request's header.</param>
/// <param name="MissingAttribute">The type of an attribute that the request lacks.</param>
/// <param name="MissingNestOffset">The offset of the nested attribute that lacks it; null for the top level.</param>
public sealed record NlExtendedAck(string? Message, int? AttributeOffset, ushort? MissingAttribute, int? MissingNestOffset)
{
    private enum NlMsgErrAttribute : ushort
    {
        Message = 1, // NLMSGERR_ATTR_MSG
        Offset = 2, // NLMSGERR_ATTR_OFFS
        MissingType = 5, // NLMSGERR_ATTR_MISS_TYPE
        MissingNest = 6, // NLMSGERR_ATTR_MISS_NEST
    }

    /// <summary>Reads an ERROR or DONE message.</summary>
    /// <returns>The errno, positive; 0 for success.</returns>
    // ERROR: | errno (negative) i32 | nlmsghdr of the request | its body, unless capped | attributes, if NLM_F_ACK_TLVS |
    // DONE:  | errno (negative) i32 | attributes, if NLM_F_ACK_TLVS |; old families send it without errno
    internal static int Read(NlMessage message, out NlExtendedAck? extended)
    {
        extended = null;
        var body = message.Body;
        var isError = message.Header.Type == NlMsgHeader.Error;
        if (!isError && body.Length < 4) return 0;
        var errno = Math.Abs((long)MemoryMarshal.Read<int>(message.Fixed(4)));
        if (message.Header.Flags.HasFlag(NlMsgFlags.AckTlvs))
        {
            var start = isError ? AttributesOfError(message) : 4;
            if (start <= body.Length) extended = ReadAttributes(body[start..]);
        }

        return (int)Math.Min(errno, int.MaxValue);
    }

    private static int AttributesOfError(NlMessage message)
    {
        const int HeaderEnd = 4 + NlMsgHeader.Size;
        if (message.Header.Flags.HasFlag(NlMsgFlags.Capped) || message.Body.Length < HeaderEnd) return HeaderEnd;
        var request = MemoryMarshal.Read<uint>(message.Body[4..]);
        return request > int.MaxValue - 8 ? int.MaxValue : 4 + NlMsgHeader.Align((int)request);
    }

    private static NlExtendedAck? ReadAttributes(ReadOnlySpan<byte> bytes)
    {
        string? text = null;
        int? offset = null, nest = null;
        ushort? missing = null;
        try
        {
            foreach (var attribute in new NlAttributes(bytes))
            {
                switch (attribute.As<NlMsgErrAttribute>())
                {
                    case NlMsgErrAttribute.Message: text = attribute.Text(); break;
                    case NlMsgErrAttribute.Offset: offset = (int)attribute.U32(); break;
                    case NlMsgErrAttribute.MissingType: missing = (ushort)attribute.U32(); break;
                    case NlMsgErrAttribute.MissingNest: nest = (int)attribute.U32(); break;
                }
            }
        }
        catch (NetlinkFormatException)
        {
            // The errno matters more than a malformed explanation: keep what was read of it.
        }

        return text is null && offset is null && missing is null ? null : new NlExtendedAck(text, offset, missing, nest);
    }
}
