using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>Carries clients over that earlier versions, or upstream, remember in a set for each endpoint.</summary>
/// <param name="nftables">Where the sets are read.</param>
/// <param name="family">The family.</param>
/// <param name="reader">What found them.</param>
/// <param name="state">Knows which are still there.</param>
/// <param name="affinity">Knows the numbers of endpoints.</param>
/// <param name="maps">Where clients go, and those of frontends with policy Local if there are such.</param>
/// <param name="plans">The service ports.</param>
internal sealed class AffinityCarryOver(
    INftables nftables, IpFamily family, TableReader reader, TableState state, AffinityCompiler affinity, IReadOnlyList<ServiceMaps.AffinityMaps> maps, Func<IEnumerable<ServicePortPlan>> plans) : ICarryOver
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<PendingWrite>> WriteAsync(CancellationToken cancellationToken)
    {
        if (reader.FoundClientSets.Count == 0) return [];
        var sets = reader.FoundClientSets.Where(set => state.Sets.TryGetKernel(set.Key.Name, out _)).ToDictionary(set => set.Key.Name);
        if (sets.Count == 0) return [];
        var clients = maps.Select(_ => new Dictionary<NftData, NftElement>()).ToArray();
        foreach (var plan in plans().Where(plan => plan.AffinityTimeout is not null)) await ReadAsync(plan, sets, clients, cancellationToken);
        return [.. maps.Zip(clients).SelectMany(pair => Write(pair.First.Clients, [.. pair.Second.Values]))]; // The sets go in the same transaction.
    }

    private async Task ReadAsync(
        ServicePortPlan plan, Dictionary<string, NftSet> sets, Dictionary<NftData, NftElement>[] clients, CancellationToken cancellationToken)
    {
        var owner = new RuleOwner(plan.Name, plan.CreatedAt);
        if (affinity.Find(owner, plan) is not { } servicePort) return;
        var numbers = affinity.EndpointsOf(owner, servicePort);
        var remembered = new Dictionary<IpEndpoint, List<NftElement>>();
        // A client may be in the sets of several endpoints: the first one counted.
        var lists = new[] { plan.ClusterEndpoints, plan.LocalEndpoints };
        for (var i = 0; i < clients.Length; i++)
        {
            foreach (var endpoint in lists[i])
            {
                if (!numbers.TryGetValue(endpoint, out var number) || !sets.TryGetValue(ObjectNames.ClientSet(plan.Name, endpoint), out var set)) continue;
                if (!remembered.TryGetValue(endpoint, out var elements)) remembered.Add(endpoint, elements = await ReadAsync(set, cancellationToken));
                foreach (var element in elements) Carry(element, servicePort, number, plan.AffinityTimeout!.Value, clients[i]);
            }
        }
    }

    private async Task<List<NftElement>> ReadAsync(NftSet set, CancellationToken cancellationToken)
    {
        var elements = new List<NftElement>();
        await nftables.ReadElementsAsync(set, elements.Add, elements.Clear, cancellationToken);
        return elements;
    }

    private void Carry(NftElement element, uint servicePort, uint endpoint, TimeSpan timeout, Dictionary<NftData, NftElement> clients)
    {
        var bytes = element.Key;
        var reader = new ElementBytesReader(bytes.Span);
        if (!reader.TryAddress(family, out var client) || !reader.AtEnd) return;
        var key = AffinityClient.Encode(client, servicePort);
        var left = element.Expires ?? element.Timeout ?? timeout;
        clients.TryAdd(key, new NftElement { Key = key, Data = AffinityBytes.Encode(family, endpoint), Timeout = left < OneMillisecond ? OneMillisecond : left });
    }

    private static TimeSpan OneMillisecond => TimeSpan.FromMilliseconds(1);

    private static IEnumerable<PendingWrite> Write(NftSet set, NftElement[] elements) => elements.Chunk(TableWriter.UsualOperationSize).Select(chunk => new PendingWrite
    {
        Count = chunk.Length,
        AddTo = transaction => transaction.AddElements(set, chunk),
        Acknowledge = () => { },
        OwnerOf = _ => null,
    });
}
