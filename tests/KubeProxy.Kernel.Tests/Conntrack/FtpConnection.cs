using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.Kernel.Tests.Conntrack;

/// <summary>
/// A control connection of FTP over loopback, tracked with helper, label 3, counters and times; its server announced a data connection to port 5141.
/// </summary>
internal sealed class FtpConnection : IDisposable
{
    private readonly TcpListener _listener;
    private readonly TcpClient _client;
    private readonly TcpClient _server;

    private FtpConnection(TcpListener listener)
    {
        _listener = listener;
        _listener.Start();
        _client = new TcpClient("127.0.0.1", 2121);
        _server = _listener.AcceptTcpClient();
    }

    public static FtpConnection Open(NetworkNamespace ns)
    {
        ns.Exec("sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1", "net.netfilter.nf_conntrack_timestamp=1");
        ns.ExecWithInput("""
            table ip test {
              ct helper ftp {
                type "ftp" protocol tcp
                l3proto ip
              }
              chain filter {
                type filter hook output priority 0
                tcp dport 2121 ct label set 3
                tcp dport 2121 ct helper set "ftp"
              }
              chain nat {
                type nat hook output priority -100
                ip daddr 127.0.0.7 dnat to 127.0.0.8
              }
            }
            """, "nft", "-f", "-");
        return ns.Run(() =>
        {
            var connection = new FtpConnection(new TcpListener(IPAddress.Loopback, 2121));
            Tell(connection._server, connection._client, "220 ready\r\n");
            Tell(connection._client, connection._server, "PASV\r\n");
            connection.AnnounceData();
            return connection;
        });
    }

    public void AnnounceData() => Tell(_server, _client, "227 Entering Passive Mode (127,0,0,1,20,21).\r\n");

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _listener.Dispose();
    }

    private static void Tell(TcpClient from, TcpClient to, string text)
    {
        from.GetStream().Write(Encoding.ASCII.GetBytes(text));
        to.GetStream().ReadExactly(new byte[text.Length]);
    }
}
