using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Diff;

namespace KubeProxy.Core.Tests.Diff;

public class OwnedCollectionTests
{
    private readonly OwnedCollection<string, int, string> _collection = new();

    [Fact]
    public void Claim_is_added_once_and_then_known()
    {
        Set("a", ("x", 1));
        Assert.Equal([KeyValuePair.Create("x", 1)], _collection.Diff().Added);
        _collection.AcknowledgeAll();
        Assert.False(_collection.HasChanges);
        Set("a", ("x", 1));
        Assert.False(_collection.HasChanges);
    }

    [Fact]
    public void Changed_value_is_a_replacement_and_back_again_is_nothing()
    {
        Set("a", ("x", 1));
        _collection.AcknowledgeAll();
        Set("a", ("x", 2));
        Assert.Equal([KeyValuePair.Create("x", 2)], _collection.Diff().Replaced);
        Set("a", ("x", 1));
        Assert.Equal(0, _collection.Diff().Count);
    }

    [Fact]
    public void Shared_entry_stays_until_its_last_owner_goes()
    {
        Set("a", ("x", 1));
        Set("b", ("x", 1));
        _collection.AcknowledgeAll();
        _collection.Remove("a");
        Assert.False(_collection.HasChanges);
        Assert.Empty(_collection.Conflicts);
        _collection.Remove("b");
        Assert.Equal(["x"], _collection.Diff().Removed);
    }

    [Fact]
    public void Lowest_owner_wins_whatever_the_order_and_the_next_takes_over()
    {
        Set("b", ("x", 2));
        _collection.AcknowledgeAll();
        Set("a", ("x", 1));
        Assert.Equal([KeyValuePair.Create("x", 1)], _collection.Diff().Replaced);
        var (key, winner, losers) = Assert.Single(_collection.Conflicts);
        Assert.Equal(("x", "a"), (key, winner));
        Assert.Equal(["b"], losers);
        _collection.AcknowledgeAll();
        _collection.Remove("a");
        Assert.Equal([KeyValuePair.Create("x", 2)], _collection.Diff().Replaced);
        Assert.Empty(_collection.Conflicts);
    }

    [Fact]
    public void Adoption_writes_only_the_difference()
    {
        Set("a", ("same", 1), ("other", 2), ("missing", 3));
        Adopt(("same", 1), ("other", 9), ("extra", 4));
        var changes = _collection.Diff();
        Assert.Equal([KeyValuePair.Create("missing", 3)], changes.Added);
        Assert.Equal([KeyValuePair.Create("other", 2)], changes.Replaced);
        Assert.Equal(["extra"], changes.Removed);
    }

    [Fact]
    public void Restarted_adoption_forgets_what_it_saw()
    {
        Set("a", ("x", 1));
        _collection.AcknowledgeAll();
        var adoption = _collection.BeginAdoption();
        adoption.Observe("x", 1);
        adoption.Restart();
        adoption.Complete();
        Assert.Equal([KeyValuePair.Create("x", 1)], _collection.Diff().Added);
    }

    [Fact]
    public void Cost_does_not_grow_with_the_collection()
    {
        for (var i = 0; i < 10_000; i++) Set($"owner{i}", ($"key{i}", i));
        _collection.AcknowledgeAll();
        var before = _collection.OperationCount;
        Set("owner5", ("key5", -1), ("key5b", 5));
        Assert.Equal(2, _collection.OperationCount - before);
        Assert.Equal(2, _collection.Diff().Count);
    }

    [Fact]
    public void Random_histories_end_as_a_naive_model_says() =>
        Check.QuickThrowOnFailure(Prop.ForAll(
            Steps().ToArbitrary(), (Action<Step[]>)Replay));

    private static Gen<Step[]> Steps()
    {
        var entries = Gen.ArrayOf(
            from key in Gen.Choose(0, 5) from value in Gen.Choose(0, 2) select KeyValuePair.Create($"k{key}", value));
        var step = from kind in Gen.Choose(0, 9) from owner in Gen.Choose(0, 3) from content in entries select new Step(kind, $"o{owner}", content);
        return Gen.ArrayOf(step);
    }

    private static void Replay(Step[] steps)
    {
        var collection = new OwnedCollection<string, int, string>();
        var claims = new SortedDictionary<string, Dictionary<string, int>>(StringComparer.Ordinal);
        var kernel = new Dictionary<string, int>();
        foreach (var step in steps)
        {
            var content = step.Content.DistinctBy(e => e.Key).ToDictionary();
            switch (step.Kind)
            {
                case <= 5:
                    collection.Set(step.Owner, [.. content]);
                    claims[step.Owner] = content;
                    break;
                case 6:
                    collection.Remove(step.Owner);
                    claims.Remove(step.Owner);
                    break;
                case 7:
                    kernel = content;
                    var adoption = collection.BeginAdoption();
                    foreach (var (key, value) in content) adoption.Observe(key, value);
                    adoption.Complete();
                    break;
                default:
                    Apply(collection.Diff(), kernel);
                    collection.AcknowledgeAll();
                    break;
            }

            var desired = new Dictionary<string, int>();
            foreach (var claim in claims.Values.SelectMany(c => c)) desired.TryAdd(claim.Key, claim.Value);
            var after = new Dictionary<string, int>(kernel);
            Apply(collection.Diff(), after);
            Assert.Equal(desired.OrderBy(e => e.Key), after.OrderBy(e => e.Key));
            Assert.Equal(desired.OrderBy(e => e.Key), collection.Desired.OrderBy(e => e.Key));
            Assert.Equal(kernel.Keys.Order(), collection.KernelKeys.Order());
            Assert.Equal(ConflictsOf(claims), collection.Conflicts.Select(c => $"{c.Key} of {c.Winner} not {string.Join(' ', c.Losers)}").Order());
        }
    }

    private static IEnumerable<string> ConflictsOf(SortedDictionary<string, Dictionary<string, int>> claims) =>
        from key in claims.Values.SelectMany(content => content.Keys).Distinct().Order()
        let wanting = claims.Where(claim => claim.Value.ContainsKey(key)).Select(claim => (Owner: claim.Key, Value: claim.Value[key])).ToList()
        let losers = wanting.Where(claim => claim.Value != wanting[0].Value).Select(claim => claim.Owner).ToList()
        where losers.Count > 0
        select $"{key} of {wanting[0].Owner} not {string.Join(' ', losers)}";

    private static void Apply(Changes<string, int> changes, Dictionary<string, int> kernel)
    {
        foreach (var key in changes.Removed) Assert.True(kernel.Remove(key));
        foreach (var (key, value) in changes.Replaced)
        {
            Assert.NotEqual(value, kernel[key]);
            kernel[key] = value;
        }

        foreach (var (key, value) in changes.Added) kernel.Add(key, value);
    }

    private void Set(string owner, params (string Key, int Value)[] entries) =>
        _collection.Set(owner, [.. entries.Select(e => KeyValuePair.Create(e.Key, e.Value))]);

    private void Adopt(params (string Key, int Value)[] entries)
    {
        var adoption = _collection.BeginAdoption();
        foreach (var (key, value) in entries) adoption.Observe(key, value);
        adoption.Complete();
    }

    public sealed record Step(int Kind, string Owner, KeyValuePair<string, int>[] Content);
}
