using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>What deploy/kube-proxy.service and deploy/daemonset.yaml leave to the program is enough for it.</summary>
[Collection("proxy processes")]
public sealed partial class ConfinementTests : IDisposable
{
    private readonly NetworkNamespace _node = NetworkNamespace.Create();
    private readonly Manifests _manifests = new();

    public ConfinementTests()
    {
        _node.Exec("ip", "address", "add", $"{MiniCluster.NodeAddress}/32", "dev", "lo");
        _manifests.Service("web", "10.96.0.10", 30080);
        _manifests.Endpoints("web", 0, 1);
    }

    [Fact]
    public async Task No_other_capability_than_net_admin_is_needed()
    {
        using var proxy = ProxyProcess.Start(_node, _manifests, "setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all", "--no-new-privs");
        await proxy.WaitReadyAsync();
        Assert.Contains("10.96.0.10", _node.Exec("nft", "list", "table", "ip", "kube-proxy"), StringComparison.Ordinal);
        Assert.Equal("86400\n", _node.Exec("cat", "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"));
        // The score of the out-of-memory killer is set by the unit: only CAP_SYS_RESOURCE may lower it.
        Assert.DoesNotContain(proxy.Log.Split('\n'), line => line.Contains("Cannot", StringComparison.Ordinal) && !line.Contains("OomScore]", StringComparison.Ordinal));
        Assert.Equal(0, proxy.Terminate());
    }

    [Fact]
    public async Task Every_system_call_passes_the_filter_of_the_unit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace") && File.Exists("/usr/bin/systemd-analyze"), "needs strace and systemd-analyze (Debian packages strace and systemd)");
        var trace = Path.Combine(_manifests.Directory, "trace");
        using (var proxy = ProxyProcess.Start(_node, _manifests, "strace", "-f", "-qq", "-o", trace))
        {
            await proxy.WaitReadyAsync();
            _manifests.Endpoints("web", 1);
            await HostTests.EventuallyAsync(() => Task.FromResult(!_node.Exec("nft", "list", "table", "ip", "kube-proxy").Contains(MiniCluster.PodAddress(0), StringComparison.Ordinal)));
        }

        var used = File.ReadLines(trace).Select(line => Call().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Contains("sendmsg", used);
        var allowed = Allowed("@system-service");
        Assert.DoesNotContain(used, call => !allowed.Contains(call));
    }

    public void Dispose()
    {
        _node.Dispose();
        _manifests.Dispose();
    }

    /// <summary>The calls of a set of systemd, with those of the sets in it.</summary>
    private static HashSet<string> Allowed(string set)
    {
        using var process = Process.Start(new ProcessStartInfo("systemd-analyze", ["syscall-filter", set]) { RedirectStandardOutput = true })!;
        var entries = process.StandardOutput.ReadToEnd().Split('\n').Where(line => line.StartsWith(' ')).Select(line => line.Trim()).Where(line => !line.StartsWith('#')).ToList();
        process.WaitForExit();
        return [.. entries.Where(entry => entry[0] != '@'), .. entries.Where(entry => entry[0] == '@').SelectMany(Allowed)];
    }

    [GeneratedRegex("^[0-9]+ +([a-z0-9_]+)\\(")]
    private static partial Regex Call();
}
