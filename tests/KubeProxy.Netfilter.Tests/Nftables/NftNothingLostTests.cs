using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Nftables;

/// <summary>What sets, elements and objects have is written and read, and what cannot be written is refused.</summary>
public sealed class NftNothingLostTests
{
    private static readonly NftTableKey Table = new(NftFamily.Inet, "t");

    [Fact]
    public void Sets_keep_everything()
    {
        NftSet[] sets =
        [
            Named("plain") with { PrefersMemory = true, GcInterval = TimeSpan.FromMinutes(10), Timeout = TimeSpan.FromHours(1), Flags = NftSetFlags.Timeout },
            Named("merged") with { AutoMerge = true, Flags = NftSetFlags.Interval },
            Named("counted") with { Statements = [new NftCounter(), new NftLimit(1)] },
            Named("objects") with { Kind = NftSetKind.ObjectMap, ObjectKind = NftObjectKind.Counter },
            Named("ranges") with { Kind = NftSetKind.Map, DataType = [NftDataType.Ipv4Addr], HasDataIntervals = true, Flags = NftSetFlags.Interval },
            Named("odd") with { KeyType = [(NftDataType)63], KeyLengths = [5] },
            Named("unknown") with { Unknown = [8, 0, 99, 0, 1, 2, 3, 4], Userdata = [0, 4, 2, 0, 0, 0, 200, 1, 9] },
            Named("typed") with { KeyType = [NftDataType.Integer], KeyTypeof = [new NftPayload(NftField.Find("vlan id")!)] },
        ];
        Assert.All(sets, set => Assert.Equal(set, NftSetDecoder.Read(Single(new NftTransaction().Add(set)), out _)));
    }

    [Fact]
    public void Elements_keep_everything()
    {
        var set = Named("s") with { Flags = NftSetFlags.Timeout };
        NftElement[] elements =
        [
            new() { Key = NftValue.Number(1), Details = new NftElementDetails { Statements = [new NftCounter { Packets = 1, Bytes = 2 }, new NftQuota(500, Over: true)] } },
            new() { Key = NftValue.Number(2), Timeout = TimeSpan.FromHours(1), Expires = TimeSpan.FromMinutes(10) },
            new() { Key = NftValue.Number(3), Details = new NftElementDetails { Unknown = [8, 0, 99, 0, 1, 2, 3, 4] } },
            new() { Key = default, IsCatchAll = true, Comment = "all else" },
        ];
        var read = new List<NftElement>();
        new NftElementDecoder(set, read.Add).Read(Single(new NftTransaction().AddElements(set, elements)));
        Assert.Equal(elements, read);
        Assert.Equal("* comment \"all else\"", NftText.Of(set, elements[3]));
    }

    [Fact]
    public void Objects_keep_everything()
    {
        NftObject[] objects =
        [
            NftObject.Of(Table, "c", new NftCounter { Packets = 1, Bytes = 2 }) with { Comment = "why" },
            NftObject.Of(Table, "q", new NftQuota(10) { Used = 3 }),
            NftObject.Of(Table, "l", new NftLimit(10, 3600, 7, IsBytes: true, Over: true)),
            Object(NftObjectKind.CtHelper, new NftHelperContent("ftp", 6, NftFamily.Inet)),
            Object(NftObjectKind.CtTimeout, new NftTimeoutContent(17, NftFamily.Ip, [10, 20])),
            Object(NftObjectKind.CtExpectation, new NftExpectationContent(6, NftFamily.Ip, 80, 60000, 12)),
            Object(NftObjectKind.Synproxy, new NftSynproxyContent(new NftSynproxy(1460, 7, 0xF))),
            Object(NftObjectKind.Secmark, new NftSecmarkContent("system_u:object_r:x_t:s0")),
            Object((NftObjectKind)99, new NftOpaqueContent([8, 0, 1, 0, 1, 2, 3, 4])),
        ];
        Assert.All(objects, item => Assert.Equal(item, NftObjectCodec.Read(Single(new NftTransaction().Add(item)))));
    }

    [Fact]
    public void Chains_keep_their_devices()
    {
        var chain = new NftChain(new NftChainKey(new NftTableKey(NftFamily.Netdev, "t"), "c"))
        {
            Base = new NftBaseChain(NftChainType.Filter, NftHook.Egress, 5) { Devices = ["lo", "eth0"] },
        };
        Assert.Equal(chain, NftObjectDecoder.Chain(Single(new NftTransaction().Add(chain))));
    }

    [Fact]
    public void What_a_user_cannot_mean_is_refused()
    {
        var port = new NftMatch(new NftPayload(NftField.TcpDport), NftOperator.Equal, new NftConstant(NftDataType.InetService, NftValue.Port(22)));
        var chain = new NftChainKey(Table, "c");
        NftTransaction[] wrong =
        [
            new NftTransaction().Add(chain, new NftRule(port)),
            new NftTransaction().Add(new NftChain(chain) { IsBlock = true }),
            new NftTransaction().Add(new NftChain(chain) { Base = new NftBaseChain(NftChainType.Filter, NftHook.Egress, 0) { Devices = ["lo"] } }),
            new NftTransaction().Add(new NftChain(chain) { Base = new NftBaseChain(NftChainType.Filter, NftHook.Ingress, 0) }),
            new NftTransaction().Add(chain, new NftRule(new NftLimit(0))),
            new NftTransaction().Add(chain, new NftRule(new NftQueue(4, 1))),
        ];
        using var nftables = new NoKernel();
        Assert.All(wrong, transaction => Assert.True(Assert.Throws<NftTransactionException>(() => nftables.Memory.Prepare(transaction)).Failures[0].IsOwnCheck));
    }

    [Fact]
    public async Task Objects_that_rules_use_stay()
    {
        await using var memory = new InMemoryNftables();
        var chain = new NftChainKey(Table, "c");
        var counter = NftObject.Of(Table, "hits", new NftCounter());
        var reference = new NftRule(new NftObjectReference(NftObjectKind.Counter, "hits"));
        var cancellation = TestContext.Current.CancellationToken;
        await memory.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(new NftChain(chain)), cancellation);
        await Assert.ThrowsAsync<NftTransactionException>(() => memory.CommitAsync(new NftTransaction().Add(chain, reference), cancellation));
        await memory.CommitAsync(new NftTransaction().Add(counter).Add(chain, reference), cancellation);
        await Assert.ThrowsAsync<NftTransactionException>(() => memory.CommitAsync(new NftTransaction().Delete(counter.Key), cancellation));
        Assert.Equal([counter], (await memory.ReadTableAsync(Table, cancellation))!.Objects);
        await memory.CommitAsync(new NftTransaction().Flush(chain).Delete(counter.Key), cancellation);
        Assert.Empty((await memory.ReadTableAsync(Table, cancellation))!.Objects);
    }

    private static NftSet Named(string name) => new(new NftSetKey(Table, name)) { KeyType = [NftDataType.Ipv4Addr] };

    private static NftObject Object(NftObjectKind kind, NftObjectContent content) => new(new NftObjectKey(Table, kind, "o"), content);

    private static NlMessage Single(NftTransaction transaction)
    {
        using var writer = new NlMsgWriter();
        var encoder = new NftBatchEncoder(writer);
        encoder.Encode(transaction);
        Assert.Empty(encoder.Failures);
        var found = default(NlMessage);
        var index = 0;
        foreach (var message in new NlMessages(writer.ToArray()))
            if (index++ == 1)
                found = message;
        return found;
    }

    private sealed class NoKernel : IDisposable
    {
        public InMemoryNftables Memory { get; } = new();

        public void Dispose() => Memory.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
