using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Kernel.Tests.Conntrack;

public sealed class ConntrackMonitorTests : IDisposable
{
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _ns.Dispose();

    [Fact]
    public async Task Flows_come_change_and_go()
    {
        using var monitor = _ns.Run(() => ConntrackMonitor.Open(filter: new FlowFilter { OriginalDestinationPort = 53 }));
        await using var events = monitor.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        _ns.Exec("sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=1");
        Conntrack("-I", 54, "-t", "600"); // not asked for
        Conntrack("-I", 53, "-t", "600");
        Conntrack("-U", 53, "--mark", "7");
        Conntrack("-D", 53);

        var created = await NextAsync(events);
        var updated = await NextAsync(events);
        var destroyed = await NextAsync(events);

        Assert.Equal([ConntrackEventKind.FlowCreated, ConntrackEventKind.FlowUpdated, ConntrackEventKind.FlowDestroyed],
            [created.Kind, updated.Kind, destroyed.Kind]);
        Assert.Equal(new FlowTuple(Protocol.Udp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.0.0.2"), 1000, 53), created.Flow?.Original);
        Assert.Equal(7u, updated.Flow?.Mark);
        Assert.Equal(created.Flow?.Id, destroyed.Flow?.Id);
        Assert.NotNull(destroyed.Flow?.Stopped);
    }

    [Fact]
    public async Task Only_kinds_asked_for_are_sent()
    {
        using var monitor = _ns.Run(() => ConntrackMonitor.Open(ConntrackEventKind.FlowDestroyed | ConntrackEventKind.Expectations));
        await using var events = monitor.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        Conntrack("-I", 53, "-t", "600");
        Conntrack("-D", 53);
        using var connection = FtpConnection.Open(_ns);

        Assert.Equal(ConntrackEventKind.FlowDestroyed, (await NextAsync(events)).Kind);
        var announced = await NextAsync(events);
        Assert.Equal(ConntrackEventKind.ExpectationCreated, announced.Kind);
        Assert.Equal((ushort)5141, announced.Expectation?.Tuple.DestinationPort);
        _ns.Exec("conntrack", "-F", "expect");
        Assert.Equal(ConntrackEventKind.ExpectationDestroyed, (await NextAsync(events)).Kind);
    }

    [Fact]
    public async Task What_was_lost_is_said()
    {
        using var monitor = _ns.Run(() => ConntrackMonitor.Open(options: new() { ReceiveBuffer = 8 * 1024 }));
        _ns.ExecWithInput(
            string.Concat(Enumerable.Range(1, 500).Select(i => $"-I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport {i} --dport 53 -t 600\n")), "conntrack", "-R", "-");
        await using var events = monitor.ReadAsync(Ct).GetAsyncEnumerator(Ct);

        Assert.Equal(ConntrackEventKind.Lost, (await NextAsync(events)).Kind);
        Conntrack("-I", 54, "-t", "600");
        Assert.Equal((ushort)54, (await NextAsync(events)).Flow?.Original.DestinationPort);
    }

    private static async Task<ConntrackEvent> NextAsync(IAsyncEnumerator<ConntrackEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), Ct));
        return events.Current;
    }

    private void Conntrack(string command, int port, params string[] more) =>
        _ns.Exec("conntrack", [command, "-p", "udp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1000", "--dport", $"{port}", .. more]);
}
