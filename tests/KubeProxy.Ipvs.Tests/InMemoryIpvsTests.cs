using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Testing;
using KubeProxy.Netlink;

namespace KubeProxy.Ipvs.Tests;

public sealed class InMemoryIpvsTests : IpvsContract, IDisposable
{
    private readonly InMemoryIpvs _ipvs = new();

    protected override IIpvs Ipvs => _ipvs;

    public void Dispose() => _ipvs.Dispose();

    [Fact]
    public async Task Tests_say_what_passed_through_it()
    {
        var destination = IpvsCases.Destination("10.244.0.1");
        await ApplyAsync([new IpvsOperation.AddService(IpvsCases.Service(IpvsCases.Tcp)), new IpvsOperation.AddDestination(IpvsCases.Tcp, destination)]);
        _ipvs.SetConnections(IpvsCases.Tcp, destination.Endpoint, 3, 2, 1);
        _ipvs.SetStatistics(IpvsCases.Tcp, new IpvsStatistics { Connections = 9 });

        Assert.Equal(9u, (await _ipvs.FindServiceAsync(IpvsCases.Tcp, Ct))?.Statistics.Connections);
        await _ipvs.ApplyAsync(new IpvsOperation.SetDestination(IpvsCases.Tcp, destination with { Weight = 0 }), Ct);
        Assert.Equal(new DestinationState(destination with { Weight = 0 }, 3, 2, 1, default),
            Assert.Single(await _ipvs.ListDestinationsAsync(IpvsCases.Tcp, Ct)));
        await _ipvs.ZeroAsync(IpvsCases.Tcp, Ct);
        Assert.Equal(new IpvsStatistics(), (await _ipvs.FindServiceAsync(IpvsCases.Tcp, Ct))?.Statistics);
        Assert.Equal(4, _ipvs.Writes);
    }

    [Fact]
    public async Task Tests_can_refuse()
    {
        _ipvs.Refuse = operation => operation is IpvsOperation.AddService ? Errno.OutOfMemory : 0;
        var error = await Assert.ThrowsAsync<NetlinkException>(
            () => _ipvs.ApplyAsync(new IpvsOperation.AddService(IpvsCases.Service(IpvsCases.Tcp)), Ct));
        Assert.Equal(Errno.OutOfMemory, error.Errno);
        Assert.Empty(await _ipvs.ListServicesAsync(IpFamily.IPv4, Ct));
    }
}
