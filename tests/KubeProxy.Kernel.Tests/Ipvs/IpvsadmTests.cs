using KubeProxy.Core.Model;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Tests;

namespace KubeProxy.Kernel.Tests.Ipvs;

/// <summary>ipvsadm as a witness of what the client writes, and the client as one of what ipvsadm writes.</summary>
[Trait("Kernel", "uml")]
public sealed class IpvsadmTests : IDisposable
{
    private static readonly VirtualServiceKey[] WithDestinations =
    [
        IpvsCases.Tcp,
        new(IpAddr.Parse("fd00:10:96::11"), Protocol.Tcp, 80),
        new(IpAddr.Parse("10.96.0.12"), Protocol.Sctp, 80),
    ];

    private static readonly IReadOnlyList<VirtualService> Services = [.. IpvsCases.Services(), .. WithDestinations.Select(key => IpvsCases.Service(key))];

    private readonly IpvsNode _node = IpvsNode.Create();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IEnumerable<(VirtualServiceKey Key, Destination Destination)> Destinations =>
        WithDestinations.SelectMany(key => IpvsCases.Destinations(key.Family).Select(destination => (key, destination)));

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task Ipvsadm_shows_what_the_client_wrote()
    {
        Assert.Empty(await _node.Client.ApplyAsync([
            .. Services.Select(service => new IpvsOperation.AddService(service)),
            .. Destinations.Select(pair => new IpvsOperation.AddDestination(pair.Key, pair.Destination)),
        ], Ct));

        AssertLines(_node.Ipvsadm("-Sn"), [.. Services.Select(IpvsadmText.Saved), .. Destinations.Select(pair => IpvsadmText.Saved(pair.Key, pair.Destination))]);
        AssertLines(_node.Ipvsadm("-Ln").Skip(3), // three lines of headings
            [.. Services.Select(IpvsadmText.Listed), .. Destinations.Select(pair => IpvsadmText.Listed(pair.Destination))]);
        AssertLines(_node.Ipvsadm("-Ln", "--thresholds").Where(line => line.Contains("->", StringComparison.Ordinal)).Skip(1),
            [.. Destinations.Select(pair => IpvsadmText.ListedThresholds(pair.Destination))]);
    }

    [Fact]
    public async Task The_client_reads_what_ipvsadm_wrote()
    {
        _node.Ipvsadm("--help");
        _node.Namespace.ExecWithInput(string.Join('\n',
            [.. Services.Select(IpvsadmText.Saved), .. Destinations.Select(pair => Thresholds(IpvsadmText.Saved(pair.Key, pair.Destination), pair.Destination)), ""]),
            "ipvsadm", "-R");

        Assert.Equal(Services.ToHashSet(), (await _node.Client.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service).ToHashSet());
        foreach (var key in WithDestinations)
        {
            Assert.Equal(IpvsCases.Destinations(key.Family).ToHashSet(),
                (await _node.Client.ListDestinationsAsync(key, Ct)).Select(state => state.Destination).ToHashSet());
        }
    }

    [Fact]
    public async Task Changes_show_too()
    {
        var destination = IpvsCases.Destination("10.244.0.1");
        Assert.Empty(await _node.Client.ApplyAsync([
            new IpvsOperation.AddService(IpvsCases.Service(IpvsCases.Tcp)), new IpvsOperation.AddDestination(IpvsCases.Tcp, destination),
            new IpvsOperation.AddDestination(IpvsCases.Tcp, IpvsCases.Destination("10.244.0.2")),
            new IpvsOperation.SetService(IpvsCases.Service(IpvsCases.Tcp, "sh") with { Flags = VirtualServiceFlags.HashPort, Persistence = TimeSpan.FromHours(1) }),
            new IpvsOperation.SetDestination(IpvsCases.Tcp, destination with { Weight = 0 }),
            new IpvsOperation.DeleteDestination(IpvsCases.Tcp, IpvsCases.Destination("10.244.0.2").Endpoint),
        ], Ct));
        Assert.Equal(["-A -t 10.96.0.10:80 -s sh -p 3600 -b sh-port", "-a -t 10.96.0.10:80 -r 10.244.0.1:8080 -m -w 0"], _node.Ipvsadm("-Sn"));

        await _node.Client.SetTimeoutsAsync(new IpvsTimeouts(TimeSpan.FromHours(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(20)), Ct);
        Assert.Equal(["Timeout (tcp tcpfin udp): 3600 30 20"], _node.Ipvsadm("-L", "--timeout"));
        _node.Ipvsadm("--set", "10", "0", "7");
        Assert.Equal(new IpvsTimeouts(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(7)), await _node.Client.GetTimeoutsAsync(Ct));

        await _node.Client.FlushAsync(Ct);
        Assert.Empty(_node.Ipvsadm("-Sn"));
    }

    // ipvsadm reads thresholds but does not save them. It sends tunnels without kind as IPIP.
    private static string Thresholds(string line, Destination destination) =>
        destination.UpperThreshold == 0 ? line : $"{line} -x {destination.UpperThreshold} -y {destination.LowerThreshold}";

    private static void AssertLines(IEnumerable<string> found, IEnumerable<string> expected) => Assert.Equal(
        expected.Order(StringComparer.Ordinal),
        found.Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Order(StringComparer.Ordinal));
}
