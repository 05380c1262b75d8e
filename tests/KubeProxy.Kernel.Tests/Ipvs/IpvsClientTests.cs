using KubeProxy.Core.Model;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Tests;
using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Ipvs;

[Trait("Kernel", "uml")]
public sealed class IpvsClientTests : IpvsContract, IDisposable
{
    private readonly IpvsNode _node = IpvsNode.Create();

    protected override IIpvs Ipvs => _node.Client;

    [Fact]
    public async Task A_list_is_complete_though_services_of_another_namespace_go_meanwhile()
    {
        using var other = IpvsNode.Create();
        await AddAsync(other.Client, 1000);
        var mine = await AddAsync(Ipvs, 1000);
        var deleted = 0;
        using var disturbed = new IpvsClient(new NetlinkChannel(new DisturbedTransport(_node.Namespace.Run(() => NetlinkSocket.Open(NetlinkProtocol.Generic)), () =>
        {
            if (deleted == 500) return;
            IpvsOperation[] operations = [.. Enumerable.Range(deleted, 10).Select(i => new IpvsOperation.DeleteService(Key(i)))];
            deleted += operations.Length;
            Assert.Empty(other.Client.ApplyAsync(operations).GetAwaiter().GetResult());
        })));

        Assert.Equal(mine, [.. (await disturbed.ListServicesAsync(cancellationToken: TestContext.Current.CancellationToken)).Select(state => state.Service.Key)]);
        Assert.Equal(500, deleted);
    }

    public void Dispose() => _node.Dispose();

    private static VirtualServiceKey Key(int i) => new(IpAddr.Parse($"10.96.{i / 250}.{1 + i % 250}"), Protocol.Tcp, 80);

    private static async Task<HashSet<VirtualServiceKey>> AddAsync(IIpvs ipvs, int count)
    {
        HashSet<VirtualServiceKey> keys = [.. Enumerable.Range(0, count).Select(Key)];
        // Those that are there already are refused.
        await ipvs.ApplyAsync([.. keys.Select(key => new IpvsOperation.AddService(IpvsCases.Service(key)))], TestContext.Current.CancellationToken);
        return keys;
    }

    /// <summary>A transport on which something happens before each datagram that is waited for.</summary>
    private sealed class DisturbedTransport(NetlinkSocket socket, Action disturb) : INetlinkTransport
    {
        public uint PortId => socket.PortId;

        public void Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts) => socket.Send(parts);

        public bool TryReceive(Span<byte> buffer, out int length) => socket.TryReceive(buffer, out length);

        public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            disturb();
            return socket.ReceiveAsync(buffer, cancellationToken);
        }

        public void Join(uint group) => socket.Join(group);

        public void Leave(uint group) => socket.Leave(group);

        public void Dispose() => socket.Dispose();
    }
}
