using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Conntrack;

public sealed class InMemoryConntrackTests : ConntrackContract, IDisposable
{
    private readonly InMemoryConntrack _conntrack = new();

    protected override IConntrack Conntrack => _conntrack;

    public void Dispose() => _conntrack.Dispose();

    [Fact]
    public void Contradictory_entries_are_refused()
    {
        var flow = _conntrack.Add(FlowMessages.Udp("10.0.0.1:4000", "10.96.0.10:53", "10.244.0.1:5353"));
        Assert.Equal(Errno.Exists, Assert.Throws<NetlinkException>(() => _conntrack.Add(flow)).Errno);
        Assert.Equal(Errno.InvalidArgument, Assert.Throws<NetlinkException>(() => _conntrack.Add(
            flow with { Original = flow.Original with { Source = IpAddr.Parse("fd00::1") } })).Errno);
    }

    protected override void Insert(Protocol protocol, string from, ushort fromPort, string to, ushort port, uint mark = 0)
    {
        var (source, destination) = (IpAddr.Parse(from), IpAddr.Parse(to));
        _conntrack.Add(new Flow(new FlowTuple(protocol, source, destination, fromPort, port),
            new FlowTuple(protocol, destination, source, port, fromPort), FlowStatus.Confirmed, 0, mark, 0));
    }
}
