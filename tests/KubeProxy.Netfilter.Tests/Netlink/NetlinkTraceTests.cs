using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NetlinkTraceTests
{
    [Fact]
    public void Every_message_is_written_with_its_header_and_bytes()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var trace = new NetlinkTrace(path))
            {
                trace.Sent(77, [ScriptedReply.Message(0xA06, NlMsgFlags.Request, 5, "abc\0"u8)]);
                trace.Received(77, [1, 2, 3]);
            }

            var text = File.ReadAllText(path);
            Assert.Contains("port 77 sent\n  type 0x0a06 flags 0x0001 seq 5 pid 0 len 20\n    0000  61 62 63 00", text, StringComparison.Ordinal);
            Assert.Contains("port 77 received\n  A netlink message of 16 bytes in 3 bytes", text, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
