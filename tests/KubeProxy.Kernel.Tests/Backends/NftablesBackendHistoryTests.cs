using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>A backend over the kernel and one over memory go through the same history, and their tables are the same all the way.</summary>
public sealed class NftablesBackendHistoryTests
{
    private const int Histories = 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Memory_and_kernel_agree(IpFamily family) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Histories).WithStartSize(10).WithEndSize(40),
        Prop.ForAll(PlanHistory.Any().ToArbitrary(), (Action<PlanStep[]>)(steps => ReplayAsync(family, steps).GetAwaiter().GetResult())));

    private static async Task ReplayAsync(IpFamily family, PlanStep[] steps)
    {
        using var ns = NetworkNamespace.Create();
        await using var pair = new Pair(ns, family);
        await pair.RestartAsync([]);
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        foreach (var step in steps)
        {
            await ApplyAsync(pair, step, family, wanted);
            Assert.Equal(await pair.StateInMemoryAsync(), await pair.StateInKernelAsync());
        }
    }

    private static async Task ApplyAsync(Pair pair, PlanStep step, IpFamily family, Dictionary<ServicePortName, ServicePortPlan> wanted)
    {
        switch (step.Kind)
        {
            case PlanStep.Removal:
                var name = Plans.Name($"s{step.Service}");
                if (wanted.Remove(name)) await pair.SyncAsync(new PlanChanges { Removed = [name] });
                break;
            case PlanStep.Restart:
                await pair.RestartAsync([.. wanted.Values]);
                break;
            case PlanStep.LostAnswer:
                pair.LoseNextAnswer(applied: step.Shape % 2 == 0);
                break;
            case PlanStep.ForeignEdit:
                await pair.EditAsync(table => (step.Shape % 3) switch
                {
                    0 => new NftTransaction().Flush(new NftSetKey(table, "endpoints")),
                    1 => new NftTransaction().Flush(new NftChainKey(table, "services")),
                    _ => new NftTransaction().Delete(table),
                });
                await pair.SyncAsync(new PlanChanges { Verify = true });
                break;
            default:
                var plan = family == IpFamily.IPv4 ? step.ToPlan() : step.ToPlan().ToIPv6();
                wanted[plan.Name] = plan;
                await pair.SyncAsync(new PlanChanges { Updated = [plan] });
                break;
        }
    }

    /// <summary>The two backends.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private readonly NetworkNamespace _ns;
        private readonly IpFamily _family;
        private readonly NftTableKey _table;
        private readonly NftablesClient _witness;
        private readonly InMemoryNftables _memory = new();
        private KernelBackend? _overKernel;
        private NftablesBackend? _overMemory;
        private BatchFate _kernelFate;
        private LostAck _memoryFate;

        public Pair(NetworkNamespace ns, IpFamily family)
        {
            (_ns, _family) = (ns, family);
            _table = new NftTableKey(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, "kube-proxy");
            _witness = ns.Run(() => NftablesClient.Open());
            _memory.LoseAck = _ =>
            {
                var fate = _memoryFate;
                _memoryFate = LostAck.None;
                return fate;
            };
        }

        public async Task RestartAsync(IReadOnlyList<ServicePortPlan> plans)
        {
            await StopAsync();
            _overKernel = await KernelBackend.StartAsync(_ns, _family, socket => new WireTap(socket) { FateOfBatch = TakeFate });
            _overMemory = new NftablesBackend(
                new NftablesBackendOptions { Family = _family, Masquerade = Plans.Policy(_family) },
                new NftablesBackendParts { Nftables = _memory, Routes = new InMemoryRoute(), Conntrack = new InMemoryConntrack() },
                NullLogger<NftablesBackend>.Instance);
            await _overMemory.StartAsync(_ => { }, Cancel);
            await SyncAsync(new PlanChanges { Node = Plans.Node(_family), Updated = plans });
        }

        public async Task SyncAsync(PlanChanges changes)
        {
            await _overKernel!.SyncAsync(changes);
            await _overMemory!.SyncAsync(changes, Cancel);
        }

        public void LoseNextAnswer(bool applied) => (_kernelFate, _memoryFate) = applied
            ? (BatchFate.Unanswered, LostAck.Applied)
            : (BatchFate.Vanished, LostAck.NotApplied);

        public async Task EditAsync(Func<NftTableKey, NftTransaction> edit)
        {
            (_kernelFate, _memoryFate) = (BatchFate.Delivered, LostAck.None);
            await _witness.CommitAsync(edit(_table), Cancel);
            await _memory.CommitAsync(edit(_table), Cancel);
        }

        public Task<string> StateInKernelAsync() => StateAsync(_witness);

        public Task<string> StateInMemoryAsync() => StateAsync(_memory);

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            await _witness.DisposeAsync();
        }

        private async Task StopAsync()
        {
            if (_overKernel is not null) await _overKernel.DisposeAsync();
            if (_overMemory is not null) await _overMemory.DisposeAsync();
        }

        private BatchFate TakeFate()
        {
            var fate = _kernelFate;
            _kernelFate = BatchFate.Delivered;
            return fate;
        }

        private async Task<string> StateAsync(INftables nftables)
        {
            var content = await nftables.ReadTableAsync(_table, Cancel);
            Assert.NotNull(content);
            var lines = new List<string>();
            foreach (var (name, chain) in content.Chains.OrderBy(chain => chain.Key, StringComparer.Ordinal))
                lines.Add($"{chain}: {string.Join(" | ", content.Rules[name].Select(rule => NftText.Of(rule.Rule)))}");
            foreach (var set in content.Sets.Values.OrderBy(set => set.Key.Name, StringComparer.Ordinal))
            {
                var elements = new List<string>();
                await nftables.ReadElementsAsync(set, element => elements.Add(NftText.Of(set, element)), elements.Clear, Cancel);
                lines.Add($"{set.Key.Name}: {string.Join(" | ", elements.Order(StringComparer.Ordinal))}");
            }

            return string.Join('\n', lines);
        }
    }
}
