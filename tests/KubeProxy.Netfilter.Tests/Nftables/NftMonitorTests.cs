using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Nftables;

public sealed class NftMonitorTests
{
    private const uint Own = 4711;
    private const uint Foreign = 12;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_tells_own_from_foreign_commits_and_says_when_something_was_lost()
    {
        var transport = new ScriptedNetlinkTransport(_ => []);
        using var monitor = new NftMonitor(transport, Own);
        transport.Push(Notification(Own, NftMessage.NewChain, "ours"));
        transport.Push(Generation(Own, 8, "kube-proxy"));
        transport.Push(Notification(Foreign, NftMessage.DelSetElem, "ours"));
        transport.Push(Notification(Foreign, NftMessage.NewRule, "other"));
        transport.Push(Generation(Foreign, 9, "nft"));
        transport.Push([1, 2, 3]);
        transport.PushOverrun();
        var changes = new List<NftChange>();
        await foreach (var change in monitor.ReadAsync(Cancel))
        {
            changes.Add(change);
            if (changes.Count == 4) break;
        }

        Assert.Equal([NftChangeKind.Own, NftChangeKind.Foreign, NftChangeKind.Lost, NftChangeKind.Lost], changes.Select(change => change.Kind));
        Assert.Equal((8u, 9u), (changes[0].Generation, changes[1].Generation));
        Assert.Equal(["ours", "other"], changes[1].Tables.Select(table => table.Name));
        Assert.Equal((77, "nft"), (changes[1].ProcessId, changes[1].ProcessName));
    }

    [Fact]
    public void It_leaves_and_joins_the_group()
    {
        var transport = new ScriptedNetlinkTransport(_ => []);
        using var monitor = new NftMonitor(transport, Own);
        Assert.Equal([7u], transport.Groups);
        monitor.Pause();
        Assert.Empty(transport.Groups);
        monitor.Resume();
        Assert.Equal([7u], transport.Groups);
    }

    private static byte[] Notification(uint port, NftMessage message, string table) => Bytes(port, message, writer => writer.PutString(TableAttribute.Name, table));

    private static byte[] Generation(uint port, uint generation, string process) => Bytes(port, NftMessage.NewGen, writer =>
    {
        writer.PutU32BigEndian(GenerationAttribute.Id, generation);
        writer.PutU32BigEndian(GenerationAttribute.ProcessId, 77);
        writer.PutString(GenerationAttribute.ProcessName, process);
    });

    private static byte[] Bytes(uint port, NftMessage message, Action<NlMsgWriter> attributes)
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(NfSubsystem.Nftables, (byte)message, NlMsgFlags.None, (byte)NftFamily.Ip);
        attributes(writer);
        var bytes = writer.ToArray();
        BitConverter.TryWriteBytes(bytes.AsSpan(0), (uint)bytes.Length);
        BitConverter.TryWriteBytes(bytes.AsSpan(12), port);
        return bytes;
    }
}
