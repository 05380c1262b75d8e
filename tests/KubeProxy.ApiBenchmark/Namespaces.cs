using System.Diagnostics;

namespace KubeProxy.ApiBenchmark;

/// <summary>Two network namespaces with a cable between them: one for the server, one for the proxy. Removed at the end.</summary>
internal sealed class Namespaces : IDisposable
{
    /// <summary>Outside of the cluster IPs.</summary>
    public const string ServerAddress = "192.168.99.1";

    private const string ServerLink = "server0";
    private const string ProxyLink = "proxy0";

    private readonly string _suffix = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public Namespaces()
    {
        Ip("netns", "add", Server);
        Ip("netns", "add", Proxy);
        Ip("-n", Server, "link", "add", ServerLink, "type", "veth", "peer", "name", ProxyLink, "netns", Proxy);
        foreach (var (ns, link, address) in new[] { (Server, ServerLink, ServerAddress), (Proxy, ProxyLink, "192.168.99.2") })
        {
            Ip("-n", ns, "address", "add", address + "/24", "dev", link);
            Ip("-n", ns, "link", "set", "lo", "up");
            Ip("-n", ns, "link", "set", link, "up");
        }

        Ip("-n", Proxy, "route", "add", "default", "via", ServerAddress); // To whatever the proxy is to turn into another address.
    }

    public string Server => $"kps-{_suffix}";

    public string Proxy => $"kpp-{_suffix}";

    public void Unplug() => Ip("-n", Server, "link", "set", ServerLink, "down");

    public void Plug() => Ip("-n", Server, "link", "set", ServerLink, "up");

    /// <summary>Starts a program in a namespace; <c>ip</c> becomes the program.</summary>
    public static Process Start(string ns, string program, IEnumerable<string> arguments, Action<ProcessStartInfo> configure)
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", ns, program, .. arguments]);
        configure(start);
        return Process.Start(start)!;
    }

    public void Dispose()
    {
        Ip("netns", "delete", Proxy);
        Ip("netns", "delete", Server);
    }

    private static void Ip(params string[] arguments)
    {
        using var process = Process.Start("ip", arguments);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }
}
