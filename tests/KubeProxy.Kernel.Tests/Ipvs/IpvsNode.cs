using KubeProxy.Ipvs;
using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Ipvs;

/// <summary>A network namespace with a client for its IPVS, and <c>ipvsadm</c> as a witness.</summary>
public sealed class IpvsNode : IDisposable
{
    private IpvsNode(NetworkNamespace ns, IpvsClient client) => (Namespace, Client) = (ns, client);

    public NetworkNamespace Namespace { get; }

    public IpvsClient Client { get; }

    /// <summary>Makes a namespace; skips the calling test where the kernel has no IPVS.</summary>
    public static IpvsNode Create()
    {
        var ns = NetworkNamespace.Create();
        var client = ns.Run(() => IpvsClient.Open());
        try
        {
            client.GetInfoAsync().GetAwaiter().GetResult();
            return new IpvsNode(ns, client);
        }
        catch (NetlinkException error)
        {
            client.Dispose();
            ns.Dispose();
            Assert.SkipWhen(error.Errno == Errno.NoSuchEntry, "the kernel has no IPVS (CONFIG_IP_VS)");
            throw;
        }
    }

    /// <summary>Runs ipvsadm and gives the lines that it prints, without spaces at the end.</summary>
    public IReadOnlyList<string> Ipvsadm(params IReadOnlyList<string> arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/ipvsadm") || File.Exists("/sbin/ipvsadm"), "needs ipvsadm");
        return [.. Namespace.Exec("ipvsadm", arguments).Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
    }

    public void Dispose()
    {
        Client.Dispose();
        Namespace.Dispose();
    }
}
