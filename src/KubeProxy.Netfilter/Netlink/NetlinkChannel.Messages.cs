using System.Runtime.InteropServices;

namespace KubeProxy.Netlink;

// The channel's finishing touches to headers before they are sent.
public sealed partial class NetlinkChannel
{
    /// <summary>Numbers the messages from <paramref name="first"/> on, and adds flags to all and ACK to one of them.</summary>
    private static void Stamp(ReadOnlyMemory<byte>[] segments, uint first, NlMsgFlags flags, int acknowledged)
    {
        var index = 0;
        foreach (var segment in segments)
        {
            var rest = MemoryMarshal.AsMemory(segment).Span; // The writer's own buffer: it lends it to us for this.
            while (!rest.IsEmpty)
            {
                var all = index == acknowledged ? flags | NlMsgFlags.Ack : flags;
                var header = NlMsgHeader.Read(rest);
                MemoryMarshal.Write(rest[6..], (ushort)(header.Flags | all));
                MemoryMarshal.Write(rest[8..], first + (uint)index);
                rest = rest[NlMsgHeader.Align((int)header.Length)..];
                index++;
            }
        }
    }

    /// <summary>The length of as many messages as there are, but not more than <paramref name="most"/>.</summary>
    private static int LengthOf(ReadOnlySpan<byte> messages, int most, out int count)
    {
        var length = 0;
        for (count = 0; count < most && length < messages.Length; count++)
            length += NlMsgHeader.Align((int)NlMsgHeader.Read(messages[length..]).Length);
        return length;
    }
}
